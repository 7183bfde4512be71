"""The page, as HTML. Pure: settings and an answer in, text out."""

from html import escape
from string import Template

from scr_web.api import ApiAnswer
from scr_web.settings import Site

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="quiet">$tagline</p>
<section aria-label="Versions">
<dl>
<dt>web</dt><dd><code id="web-version">$version</code></dd>
<dt>api</dt><dd id="api">$api</dd>
</dl>
</section>
<section>
<h2>Projects</h2>
$projects
</section>
</main>
</body>
</html>
""")


def render(site: Site, style: str, version: str, answer: ApiAnswer) -> str:
    """A whole HTML document; every value from outside is escaped."""
    return PAGE.substitute(
        title=escape(site.title),
        style=style,
        tagline=escape(site.tagline),
        version=escape(version),
        api=_api(answer),
        projects=_projects(answer),
    )


def _api(answer: ApiAnswer) -> str:
    if answer.problem:
        return f'<span class="bad">{escape(answer.problem)}</span>'
    revision = f"database revision {answer.revision}" if answer.revision else "database not migrated"
    return (
        f'<code id="api-version">{escape(answer.version or "")}</code> <span class="good">ok</span>'
        f' <span class="quiet">· {escape(revision)}</span>'
    )


def _projects(answer: ApiAnswer) -> str:
    if answer.problem:
        return '<p class="quiet">Projects cannot be loaded while the api is unavailable.</p>'
    if not answer.projects:
        return '<p class="quiet">None yet.</p>'
    rows = "\n".join(
        f'<li><span>{escape(name)}</span><span class="quiet">{escape(stage)}</span></li>'
        for name, stage in answer.projects
    )
    return f"<ul>\n{rows}\n</ul>"
