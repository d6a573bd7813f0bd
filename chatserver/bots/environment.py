"""The bots of a server without a bots file: a key among its variables is all they need."""

from pydantic import HttpUrl

from chatserver.bots.declaration import ModelBotDeclaration

OPENAI_KEY = "OPENAI_API_KEY"
OPENAI_URL = "https://api.openai.com/v1"
HUGGING_FACE_KEY = "HUGGINGFACE_API_TOKEN"
HUGGING_FACE_URL = "https://router.huggingface.co/v1"
PROMPT = (
    "You are a helpful member of a group chat. Answer the newest message, briefly and in its "
    "language."
)


def openai_bot(model: str, base_url: HttpUrl | None, window: int) -> ModelBotDeclaration:
    """What `OPENAI_API_KEY` declares, with `OPENAI_BASE_URL` and `OPENAI_MODEL`."""
    return ModelBotDeclaration(
        name="gpt",
        model=model,
        base_url=base_url or HttpUrl(OPENAI_URL),
        key_variable=OPENAI_KEY,
        prompt=PROMPT,
        window=window,
    )


def hugging_face_bot(model: str, window: int) -> ModelBotDeclaration:
    """What `MODEL_ID` declares; its key is `HUGGINGFACE_API_TOKEN`."""
    return ModelBotDeclaration(
        name="huggingface",
        model=model,
        base_url=HttpUrl(HUGGING_FACE_URL),
        key_variable=HUGGING_FACE_KEY,
        prompt=PROMPT,
        window=window,
    )
