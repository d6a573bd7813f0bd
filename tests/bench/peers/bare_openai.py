"""The openai package alone, reading streams as its documentation does: what our bots are beside.

python bare_openai.py BASE_URL STREAMS SECONDS: prints the CPU seconds that the streams took
as JSON. They begin at random within SECONDS.
"""

import asyncio
import json
import random
import sys
import time

import openai
import uvloop


async def read(client: openai.AsyncOpenAI, begin: float) -> int:
    await asyncio.sleep(begin)
    stream = await client.chat.completions.create(
        model="bench", messages=[{"role": "user", "content": "Go on."}], stream=True
    )
    text = ""
    async for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
    return len(text)


async def main(base_url: str, streams: int, seconds: float) -> None:
    dice = random.Random(streams)
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none") as client:
        # Imports and the models of the package are made at the first use.
        await read(client, 0)
        begun = time.process_time()
        read_chars = await asyncio.gather(
            *[read(client, dice.uniform(0, seconds)) for _ in range(streams)]
        )
        print(json.dumps({"cpu": time.process_time() - begun, "chars": sum(read_chars)}))


uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
