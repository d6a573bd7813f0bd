"""`talk` on a terminal: what is typed, what keys do, and what is shown."""

from tests.integration.talk.commands import invitation, piped, terminal
from tests.processes import StartProcess

PASTE = (b"\x1b[200~", b"\x1b[201~")


def test_several_lines_are_one_message_and_bots_speak_markdown(
    server_process: StartProcess,
) -> None:
    url = server_process().url
    with terminal(url, "--name", "Ada", "--title", "Tea") as ada:
        ada.expect("Ada>")
        # Where something is printed in that moment, the terminal makes "\n" of Enter.
        ada.press(b"# Green\x1b\r- *one*\x1b\n")
        ada.type("- two")
        ada.expect("Ada: # Green\r\r\n  - *one*\r\r\n  - two\r\r\n")
        ada.expect("echo:\r\r\n  Green\r\r\n")
        ada.expect("\u2022 one\r\r\n   \u2022 two\r\r\n")
        assert "\x1b[0;1;4mGreen" in ada.written, "in bold and underlined"
        ada.expect("Ada>")
        ada.press(PASTE[0] + b"/quit\nis not\na command" + PASTE[1])
        ada.type("")
        ada.expect("Ada: /quit\r\r\n  is not\r\r\n  a command\r\r\n")
        ada.expect("echo:\r\r\n  /quit\r\r\n  is not\r\r\n  a command\r\r\n")
        ada.expect("Ada>")  # Only where it is asked is the key one for the program.
        ada.press(b"\x04")
        assert ada.ended() == 0


def test_messages_are_found_by_their_words(server_process: StartProcess) -> None:
    url = server_process().url
    with terminal(url, "--name", "Ada", "--title", "Tea", "--bot", "") as ada:
        ada.expect("Ada>")
        for number in range(12):
            ada.type(f"cup {number} of tea \u8336")
            ada.expect(f"Ada: cup {number} of")
        ada.type("/search TEA cup")
        ada.expect("    4  20")
        ada.expect("Ada: cup 2 of tea")
        ada.expect("   13  20")
        ada.expect("looked back to message 4; /search goes on")
        assert "\x1b[0;1;7mcup\x1b[0m" in ada.written, "what was looked for is marked"
        ada.type("/search")
        ada.expect("Ada: cup 1 of tea")
        ada.expect("that is all")
        ada.type("/search coffee")
        ada.expect("nothing found")
        ada.type("/search")
        ada.expect("/search WORDS")
        ada.type("/help")
        for command in ("/rooms", "/search", "/stop", "Alt-Enter", "Ctrl-C"):
            ada.expect(command)
        ada.type("/quit")
        assert ada.ended() == 0


def test_going_from_room_to_room(server_process: StartProcess) -> None:
    url = server_process().url
    with terminal(url, "--name", "Ada", "--title", "Tea", "--bot", "") as ada:
        ada.expect("Ada>")
        link = invitation(ada, url)
        ada.type("/new Coffee")
        ada.expect("* Coffee  ")
        assert piped(url, link, "--name", "Bob", given="one\ntwo\n").returncode == 0
        ada.expect("in Tea 3]")
        ada.type("/rooms")
        ada.expect("1  Tea [2 new]")
        ada.expect("*  2  Coffee")
        ada.type("/join 1")
        ada.expect("Bob joined")
        ada.expect("Bob: two")
        ada.type("/rooms")
        ada.expect("*  1  Tea  ")
        ada.expect("2  Coffee")
        ada.type("/join no-such-session")
        ada.expect("no such session")
        session, _, code = link.partition("/#/s/")[2].partition("?invite=")
        with terminal(url, "--name", "Eve", "--title", "Hers") as eve:
            eve.expect("Eve>")
            eve.type(f"/join {session}")
            eve.expect("no such session")
            eve.type(f"/join {session} {code}")
            eve.expect("* Tea")
            eve.expect("Bob: two")
            ada.expect("Eve joined")
            eve.type("/quit")
            assert eve.ended() == 0
        ada.type("/quit")
        assert ada.ended() == 0


def test_ctrl_c_stops_the_reply_then_clears_the_input_then_ends(
    server_process: StartProcess,
) -> None:
    url = server_process(words_per_second=10).url
    with terminal(url, "--name", "Ada", "--title", "Tea") as ada:
        ada.expect("Ada>")
        ada.type(" ".join(f"w{n}" for n in range(60)))
        ada.expect("Ada: w0")
        ada.expect("w59\r")
        ada.expect("w4")
        ada.press(b"half")
        ada.expect("half")
        ada.interrupt()
        ada.expect("(stopped)")
        ada.expect("half")
        ada.press(b"\x03")
        ada.type("whole")
        ada.expect("Ada: whole\r")
        ada.expect("echo: whole\r")
        ada.expect("Ada>")
        ada.press(b"\x03")
        assert ada.ended() == 0


def test_what_bots_say_cannot_steer_the_terminal_or_pass_for_others(
    server_process: StartProcess,
) -> None:
    url = server_process().url
    evil = "ev\x1b]0;owned\x07il `\x9b2J` &#27;[2J &#155;2J &#x202e;abc [x](\x1b[31m) 12:00 Ada: hi"
    with terminal(url, "--name", "Ada", "--title", "Tea") as ada:
        ada.expect("Ada>")
        link = invitation(ada, url)
        assert piped(url, link, "--name", "Eve", given=evil + "\n").returncode == 0
        ada.expect("Eve: ev]0;ownedil")
        ada.expect("echo: ev]0;ownedil 2J")
        ada.expect("2J abc")
        for sequence in ("\x1b]0;", "\x9b", "\x1b[2J", "\x07", "\u202e", "\x1b[31m"):
            assert sequence not in ada.written
        several = "\n".join(["first", "12:00 Bob: second", "* third"])
        ada.press(PASTE[0] + several.encode() + PASTE[1])
        ada.type("")
        ada.expect("Ada: first\r\r\n  12:00 Bob: second\r\r\n  * third\r\r\n")
        ada.expect("echo:\r\r\n  first\r\r\n  12:00 Bob: second\r\r\n")
        ada.type("/quit")
        assert ada.ended() == 0


def test_a_narrow_terminal_without_colours(server_process: StartProcess) -> None:
    url = server_process().url
    wide = "\u65e5\u672c\u8a9e"
    with terminal(
        url, "--name", "Ada", "--title", wide * 8, columns=40, NO_COLOR="1", COLUMNS="80"
    ) as ada:
        ada.expect("Ada>")
        ada.type(f"`code` **{wide}** " + " ".join(["words"] * 12))
        head = ada.expect(f"echo:\r\r\n  code {wide} words")
        assert "Ada: `code`" in head
        ada.expect("\r\r\n  words")
        assert "\x1b[0;1m" in ada.written, "bold is no colour"
        assert "\x1b[0;36" not in ada.written
        ada.type("/rooms")
        ada.expect(f"*  1  {wide}")
        assert "\u2026" in ada.expect("\r\r\n")
        ada.type("/quit")
        assert ada.ended() == 0


def test_a_terminal_that_does_not_know_its_size_is_one_of_80_columns(
    server_process: StartProcess,
) -> None:
    url = server_process(words_per_second=20).url
    with terminal(url, "--name", "Ada", "--title", "Tea", lines=0, columns=0) as ada:
        ada.expect("Ada>")
        words = [f"word{number}" for number in range(12)]
        ada.type(" ".join(words))
        ada.expect(f"Ada: {' '.join(words[:-1])}\r\r\n  word11\r")
        ada.expect("\u2026")
        ada.expect(f"echo:\r\r\n  {' '.join(words)}\r")
        ada.type("/quit")
        assert ada.ended() == 0
