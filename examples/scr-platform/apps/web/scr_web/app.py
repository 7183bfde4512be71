"""The application. Importing it reads neither files nor environment."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from scr_web import api, page
from scr_web.settings import Settings


def create_app(settings: Settings) -> Starlette:
    def home(_request: Request) -> HTMLResponse:
        # A plain function: Starlette runs it in a thread, so a slow API holds up this page only.
        answer = api.ask(settings.api_url, settings.site.projects_shown)
        return HTMLResponse(
            page.render(settings.site, settings.style, settings.version, answer),
            headers={"Cache-Control": "no-store", "X-App-Version": settings.version},
        )

    return Starlette(routes=[Route("/", home)])
