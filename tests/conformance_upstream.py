"""The capability that conformance suites and other clients of MCP are pointed at, and its upstream."""

from __future__ import annotations

import base64
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from naftiko.values.jsontext import encode
from naftiko.values.media import MCP_CONTENT

HERE = Path(__file__).parent / "conformance"
CAPABILITY = HERE / "capability.yaml"
FILES = {
    "picture.png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "sound.wav": (b"RIFF\x24\x00\x00\x00WAVE", "audio/wav"),
    "document.pdf": (b"%PDF-1.7", "application/pdf"),
    "data.json": (b'{"n": 1}', "application/json"),
    "several.json": (
        encode(
            {
                "content": [
                    {"type": "text", "text": "Multiple content types test:"},
                    {"type": "image", "data": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), "mimeType": "image/png"},
                    {
                        "type": "resource",
                        "resource": {"uri": "test://mixed", "mimeType": "application/json", "text": '{"n": 1}'},
                    },
                ]
            }
        ),
        MCP_CONTENT,
    ),
}


async def file(request: Request) -> Response:
    """Each kind of file; any other name is a document where it is a URI, and missing else."""
    name = request.url.path.rpartition("/")[2]
    data, media_type = FILES.get(name, (b"", ""))
    if data:
        return Response(data, media_type=media_type)
    if "/test:" in request.url.path:
        return Response(b"This is an embedded resource.", media_type="text/plain")
    return JSONResponse({"why": "This tool intentionally returns an error for testing"}, 500)
