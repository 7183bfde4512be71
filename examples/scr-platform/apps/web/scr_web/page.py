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
:root { color-scheme: light dark; --ink: #1c2733; --quiet: #5b6b7b; --page: #f4f6f8; --card: #fff; --line: #dde3e9;
  --good: #12744a; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --quiet: #9aa9b8; --page: #11171d; --card: #1a222b;
  --line: #2c3742; --good: #5cc894; --bad: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0; padding: 3rem 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 40rem; margin: 0 auto }
h1 { margin: 0; font-size: 1.8rem; line-height: 1.2 }
h2 { margin: 0 0 .5rem; font-size: 1rem }
p { margin: .25rem 0 }
.quiet { color: var(--quiet) }
section { margin-top: 1.5rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .35rem 1rem; margin: 0 }
dt { color: var(--quiet) }
dd { margin: 0; overflow-wrap: anywhere }
code { font: .95em ui-monospace, monospace }
ul { margin: 0; padding: 0; list-style: none }
li { display: flex; justify-content: space-between; gap: 1rem; padding: .35rem 0; border-top: 1px solid var(--line) }
li:first-child { border-top: 0 }
.good { color: var(--good) }
.bad { color: var(--bad) }
</style>
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


def render(site: Site, version: str, answer: ApiAnswer) -> str:
    """A whole HTML document; every value from outside is escaped."""
    return PAGE.substitute(
        title=escape(site.title),
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
        return '<p class="quiet">They come from the api, and appear again with it.</p>'
    if not answer.projects:
        return '<p class="quiet">None yet.</p>'
    rows = "\n".join(
        f'<li><span>{escape(name)}</span><span class="quiet">{escape(stage)}</span></li>'
        for name, stage in answer.projects
    )
    return f"<ul>\n{rows}\n</ul>"
