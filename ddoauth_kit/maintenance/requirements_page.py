"""Write `.github/GRADE.md`, the page about the graded requirements.

`python -m ddoauth_kit.maintenance.requirements_page` rewrites it; `--check` only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import VERDICT_MEANINGS, Requirement
from ddoauth_kit.grading.settings import PAGES
from ddoauth_kit.maintenance.lesson_navigation import rewrite

HEAD: Final = """\
<!-- written by `python -m ddoauth_kit.maintenance.requirements_page` -->

# What `ddoauth grade` looks at

`ddoauth grade` runs your own server, unmodified and in any language, against the sandbox, and judges it from the outside: by the requests that it sends, the pages that it shows, what it logs, and whether its process stays alive.
It never reads your code.

```
ddoauth grade --init http://localhost:3000/connect/datadog -- npm start
ddoauth grade
ddoauth grade --only state-checked
```

The first line starts your server once, follows it to Datadog and back, and writes `ddoauth-grade.toml` for you to check.
It gives your server the sandbox's client as `DD_CLIENT_ID` and `DD_CLIENT_SECRET`; if your server reads other names, add `--set NAME={client_id}` and `--set NAME={client_secret}` before the address.
The second line runs it. It first says how many connections it will make, because they leave rows, emails and webhooks in your server's own systems.
The third line grades one requirement again; `ddoauth grade --list` prints the IDs of all requirements.
Options can come before or after START_URL; the command after `--` comes last.

If your server asks for a login first, the first command says so and names the options that log in a new browser, such as `--login http://localhost:3000/login --login-field 'email={account}@example.com' --login-field 'password={env:LOGIN_PASSWORD}'`.
If a page opens Datadog with JavaScript, add `--browser`: Chromium then opens your server's pages (`pip install playwright`).
If your server reads neither the proxy variables nor the trust variables, add `--isolate` on Linux. It then runs in an isolated network namespace, and `--forward PORT` lets it reach a database on this machine.
To grade a server that is already running, use `--sandbox URL` with the address of your `ddoauth sandbox --env`.

You can run `ddoauth grade` like any other test: `--format junit` and `--format markdown` are for CI, `--out DIR` writes all formats and a page, and `--compare DIR` reports what changed since an earlier run.
It exits with 1 if a requirement is broken (with `--strict` also if a *must* was not tested), and with 2 if the settings are wrong.

## Verdicts and the grade

"""  # noqa: E501 - prose has a sentence a line
MIDDLE: Final = """
The grade is the worst of `broken`, `incomplete`, `risk` and `met`; `incomplete` means that a *must* was not seen or not tested.
A *must* is a requirement whose worst verdict is *broken*.
*Broken* needs a MUST in an RFC, a rule on a Datadog page without which an integration cannot work, a security hole, or a server that dies, loops or counts a failure as connected.
The last three count as broken in any check, even if its worst verdict is otherwise *risk*.
A check that expects nothing to happen counts only if a connection succeeded before and after it.

## Settings for what cannot be seen from outside

`ddoauth-grade.toml` contains the tables `start`, `connected`, `client`, `sites`, `allow`, `patience`, `durable`, `[server]`, `[server.env]`, `[login]`, `[login.other]`, `[send]`, `[call]`, `[refresh]`, `[disconnect]`, `[list]`, `[pages]` and `[skip]`.
The last column below names the tables without which a requirement is not tested.

```toml
[start]
url = "http://localhost:3000/connect/datadog"

[connected]
text = "Connected to Datadog"

[client]
redirect_uris = ["http://localhost:3000/oauth/callback"]
scopes = ["api_keys_write", "monitors_read"]

[server]
command = "npm start"

[server.env]
DD_CLIENT_ID = "{client_id}"
DD_CLIENT_SECRET = "{client_secret}"
SESSION_SECRET = "{env:SESSION_SECRET}"

[login]
url = "http://localhost:3000/login"
form = { email = "{account}@example.com", password = "{env:LOGIN_PASSWORD}" }

[call]
url = "http://localhost:3000/monitors"
method = "GET"

[pages]
denied = "You did not connect"

[skip]
login-required = "our gateway asks for the login"
```

Write a secret only as the name of its variable; a literal secret is refused.

| table | what it contains |
|---|---|
| `start` | where the flow begins: a `url` that redirects to Datadog, a `page` with one link or form that leads there, a `json` response with the address in `field` (dots for nested fields), or `log`, text in the output line that contains the address |
| `connected` | how to recognize the page after a good run: by a `text`, by its `address`, or by a `status_url` |
| `client` | what is registered: `redirect_uris` and `scopes`, or the path of an `oauth_clients.json` |
| `sites` | `"all"`, or a list such as `["us1", "eu1"]`; `--site` takes precedence |
| `allow` | hosts that your server may reach without inspection, such as your identity provider |
| `patience` | seconds that a page may take; the default is 10, or as long as ten successful connections take |
| `durable` | true if grants survive a restart: the process is then killed after a rotation and after the API key is created, and restarted |
| `[server]` | its `command`, `ready` (an address that responds, or text in the output), and a `log` file that it writes |
| `[server.env]` | variables for it; `{client_id}` and `{client_secret}` are those of the sandbox's client |
| `[login]` | how a fresh browser logs in: a `url` with `form` (the page's form is filled in, including hidden fields), a `command`, or a `cookie` or `header` from `{env:NAME}`; `{account}` in a field becomes another account for each browser |
| `[login.other]` | the login of a second account, for checks that need two people |
| `[send]`, `[call]`, `[refresh]`, `[disconnect]` | how to make your server send telemetry, call the API, refresh and disconnect: a `url` with `method` (POST by default), or a `command` |
| `[list]` | how to read its list of connections; an organization that is listed by id or name after a failure counts as connected |
| `[pages]` | words that a page must contain, by requirement: PAGED |
| `[skip]` | requirements to leave out, each with a reason that the report shows |

## Servers that were graded

These servers follow the documentation of their libraries, and a test grades each of them completely.
[`expected.toml`](../tests/grading/servers/expected.toml) lists the requirements that each one does not meet, and why.

| server | what stands out |
|---|---|
| this kit | every requirement is met, on all nine sites |
| Node with openid-client | every requirement is met |
| Express with express-session and passport-oauth2 | refusals lead to a 500 with a stack trace; calls don't have a time limit |
| Flask with Authlib | HTTP Basic by default; the older endpoint's errors count as a token; threads don't share a refresh |
| Rack with omniauth-oauth2 | calls have a time limit of a minute; a redirect from the token endpoint is followed |
| Rack with Faraday alone | an error with status 200 is stored as a grant; threads don't share a refresh |
| Go with golang.org/x/oauth2 | HTTP Basic is tried first; only the clock leads to a refresh |
| Java with the JDK alone | what the JDK lacks, such as a lock and a JSON parser, is written by hand |

Spring Boot was not tested, because it could not be installed on the machine that ran these tests.
According to its documentation, run `java -jar` instead of the build tool, and give WebClient the system proxy properties.

## A server to copy

[`reference_server.py`](../ddoauth_kit/grading/reference_server.py) meets all requirements with the kit, in one file: it serves every site, runs in several processes and works behind a proxy.

## Requirements

"""  # noqa: E501 - prose has a sentence a line
PATH: Final = Path(__file__).parents[2] / ".github" / "GRADE.md"


def page() -> str:
    """Return the whole page, with a row for each requirement in the catalogue's order."""
    verdicts = ["| verdict | meaning |\n|---|---|\n"]
    verdicts += [
        f"| {name.replace('_', ' ')} | {text} |\n" for name, text in VERDICT_MEANINGS.items()
    ]
    head = "| requirement | what | source | worst | fix | needs |\n|---|---|---|---|---|---|\n"
    rows = [_row(requirement) for requirement in REQUIREMENTS.values()]
    paged = ", ".join(f"`{name}`" for name in PAGES)
    return "".join([HEAD, *verdicts, MIDDLE.replace("PAGED", paged), head, *rows])


def _row(requirement: Requirement) -> str:
    needs = ", ".join(f"`[{table}]`" for table in requirement.needs)
    cells = (
        f"`{requirement.id}`",
        requirement.sentence,
        requirement.source,
        str(requirement.worst),
        requirement.fix.replace("<", "&lt;"),
        needs,
    )
    return f"| {' | '.join(cells)} |\n"


def main(arguments: list[str]) -> int:
    """Update the page if necessary; with `--check`, only print its name and exit with 1."""
    text = page()
    fresh = PATH.is_file() and PATH.read_text("utf-8") == text
    return rewrite({} if fresh else {PATH: text}, check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
