"""List every error code with the next thing to try; codes are stable, but the texts may change."""

from __future__ import annotations

import os
from typing import Final

# On other systems, file modes don't protect files, so there is no file store.
_STORES: Final = "`file` or `memory`" if os.name == "posix" else "`memory`"
_KINDS: Final = f"`keyring`{',' if os.name == 'posix' else ' or'} {_STORES}"
ADVICE: Final[dict[str, str]] = {
    # A request that can't be carried out.
    "unknown_site": "use one of the listed names or domains.",
    "unknown_region": (
        "do not send the client secret there. Compare the domain with Datadog's list of sites: if "
        "it is a new region, update ddoauth-kit or add it in your code with `SiteTable.with_site`, "
        "with credentials for it; if it is not listed, start again from the integration tile."
    ),
    "unknown_token_endpoint": (
        "use `v2` or `v1` for `token_endpoint` and DDOAUTH_TOKEN_ENDPOINT, or leave it out for v2."
    ),
    "ambiguous_site": (
        "use `domain`, which arrives beside `site`: a vanity subdomain does not name the region."
    ),
    "inconsistent_site": (
        "start again from the integration tile; if it happens again, treat the link as forged."
    ),
    "insecure_url": "use https; plain http is only for a server on this machine.",
    "bad_variable": (
        "write the value without quotation marks (`docker run --env-file` keeps them), put "
        "spaces between scopes and between redirect URIs, and write folders as absolute paths."
    ),
    "bad_client_file": (
        "give the `assets/oauth_clients.json` of an integration: an object `integration` with "
        "`id`, `name`, `redirect_uris`, `onboarding_url` and `scopes`."
    ),
    "missing_client_id": (
        "store the registration with the form in lesson 09, set DDOAUTH_CLIENT_ID (or, for a "
        "single site, DDOAUTH_CLIENT_ID_EU1 and so on), or name a client file."
    ),
    "missing_client_secret": (
        "set DDOAUTH_CLIENT_SECRET (private client) or DDOAUTH_PUBLISHED_CLIENT_SECRET "
        "(published client) in the environment; never write it into a notebook or a parameter."
    ),
    "no_credentials_for_site": (
        "a private client works only on the site where it was created: import the app on the other "
        "site and set that site's id and secret, or use the published client."
    ),
    "bad_redirect_uri": "register an absolute https URI without a fragment (http on loopback).",
    "unregistered_redirect_uri": (
        "use one of the registered redirect URIs exactly; they come from the form in lesson 09, "
        "DDOAUTH_REDIRECT_URIS or a client file."
    ),
    "unregistered_scope": "ask for registered scopes only, or add the scope to the client first.",
    "unusable_credential": (
        "copy the value again: it contains a line break, a space at either end, or a non-ASCII "
        "character."
    ),
    "unknown_mode": "use `sandbox` (offline, no credentials) or `live`.",
    "unknown_writes": "use `none` (reads only), `harmless` or `round-trip`.",
    "unknown_call": "write a method and a path, such as `GET /api/v1/monitor`.",
    "unknown_scope": "look at the list in `ddoauth_kit/catalogue.json`, or in the registration.",
    "no_spec": (
        "check whether pip can reach a package index, or download the source distribution of "
        "datadog-api-client by hand and name it with `--source`."
    ),
    "unknown_kind": (
        "use `private` or `published`, both in code and in DDOAUTH_CLIENT_KIND, or leave it out."
    ),
    "unknown_consent": "set DDOAUTH_CONSENT to `paste` or `listener`, or leave it out.",
    "bad_sandbox_url": (
        "set DDOAUTH_SANDBOX to the address that `ddoauth sandbox` prints, such as "
        "http://127.0.0.1:8470, or unset it."
    ),
    "not_sandbox_credentials": (
        "type all the lines that `ddoauth sandbox` prints, not only the first, or unset "
        "DDOAUTH_SANDBOX to use Datadog."
    ),
    "sandbox_credentials": (
        "set DDOAUTH_SANDBOX to the address of the sandbox (it is in the lines that `ddoauth "
        "sandbox` prints), or set your own client's id and secret to use Datadog."
    ),
    "not_logged_in": (
        "run `ddoauth login` with the same variables and the same `--site`, in your own terminal."
    ),
    "no_person": (
        "open lessons 01 to 03 with `ddoauth lab`: they authorize anew, even if a grant is stored, "
        "and there you can paste the redirect URL. For commands and for lessons from 04 on, run "
        "`ddoauth login` once in your own terminal. Sandbox mode needs nobody."
    ),
    "unknown_creation_path": "use one of the paths that the message lists.",
    "bad_registration": "correct the fields that the message names, here and at Datadog.",
    "registration_not_kept": (
        "fix the problem that the message names, then store the registration again; a live run "
        "can also read DDOAUTH_CLIENT_ID and DDOAUTH_CLIENT_SECRET from the environment."
    ),
    "kept_secret_missing": (
        "store the registration again, with the form or `keep_registration`, or set the variable "
        "that the message names; if nobody has the secret, ask Datadog for a new one."
    ),
    "no_loopback_redirect_uri": (
        "register `http://127.0.0.1:PORT/PATH` as another redirect URI of the private client, or "
        "paste the redirect (`ddoauth login --paste`). A published client must not have one."
    ),
    "port_not_opened": (
        "stop the program that uses the port (an earlier run, perhaps), or register a redirect "
        "URI with another port: Datadog also compares the port."
    ),
    "no_live_on_binder": (
        "use `sandbox` here; to use real credentials, install the workbook on your own machine."
    ),
    "no_processes": (
        'install the workbook (`pip install "ddoauth-kit[workbook]"`) and open it with '
        "`ddoauth lab`; here, read the stored outputs."
    ),
    "no_live_in_a_tab": (
        "install the workbook on your own machine and use live mode there; in the browser tab, "
        "use the sandbox."
    ),
    "keyring_silent": (
        "unlock the keyring where you can see its window, then try again; or set DDOAUTH_STORE "
        f"to {_STORES}, which need no password."
    ),
    "not_stored": (
        f"unlock the keyring or free disk space, or set DDOAUTH_STORE to {_STORES} to store "
        "secrets elsewhere. Nothing is lost before you call `create_api_key`; after it, the "
        "call's return value holds the key."
    ),
    "credentials_not_shown": (
        "use the secret that you stored when it was shown; if nobody stored it, ask Datadog for "
        "a new one, because no page shows it again."
    ),
    "not_the_private_client": (
        "open a lab with `open_sandbox_lab(private=True)`; at Datadog, publish it yourself in "
        "the Developer Platform."
    ),
    "unsafe_store": (
        "check who created it, then `chmod 700` the folder, `chmod 600` the file and `chmod o-w` "
        "the folders above, or name another folder in DDOAUTH_STORE_FOLDER; links are not "
        "followed."
    ),
    "bad_store_folder": (
        "set DDOAUTH_STORE_FOLDER to an absolute path such as `/home/you/secrets`, or leave it "
        "out; a leading `~` is your home folder."
    ),
    "not_a_path": "pass the path as a string or a `pathlib.Path`.",
    "store_busy": (
        "end the process that holds the lock: it is paused, or its refresh hangs. A process that "
        "has ended no longer holds a lock."
    ),
    "unknown_store": f"set DDOAUTH_STORE to {_KINDS}, or leave it out.",
    "bad_export": "name a file that does not exist yet, or a descriptor of a pipe or a file.",
    "unknown_notebook": "use the name of a lesson, or the path of a notebook.",
    "not_a_notebook": "give a Jupyter notebook (format 4, with a list of cells).",
    "other_language": "run notebooks with a Python kernel; other kernels are not supported.",
    "output_not_written": (
        "free disk space, or write to another place; earlier files are unchanged."
    ),
    "bad_output_folder": "use `--out` to choose a folder that you can write to.",
    "bad_probe_rows": (
        "give a JSON or CSV file that `save` or `ddoauth probe` wrote, or rows with `site`, "
        "`scope` and `verdict`, with each scope once per site."
    ),
    "unknown_filter": "use one of the verdicts or areas that the message lists.",
    "secret_parameter": (
        "put the value into an environment variable (DDOAUTH_CLIENT_SECRET, "
        "DDOAUTH_REFRESH_TOKEN_US1, DD_API_KEY) or the keyring, which kernels can read, because "
        "papermill saves parameters. Pass only names. If you typed the value on a command line, "
        "others may have seen it: replace it. If it is not a secret, name the parameter in "
        "DDOAUTH_PLAIN_PARAMETERS."
    ),
    "other_settings": (
        "resume with the mode, `--writes` and version of the first run, or choose another `--out`."
    ),
    "not_a_run": "name the folder that `ddoauth run --out` wrote, with its summary.json.",
    "no_executor": (
        "give the address that the scheduler prints, such as tcp://host:8786, and install the "
        'extra here and on the workers: pip install "ddoauth-kit[dask]".'
    ),
    "several_live_clients": (
        "run each client separately, with its own variables in the environment."
    ),
    "bad_allow_list": (
        "write one line for each value: the fingerprint that `ddoauth scan` printed, a space, "
        "and the reason why it is not a secret. Lines that start with # are comments."
    ),
    "unreadable_path": "name a file or a folder that exists and that you can read.",
    "sandbox_not_started": "change the option that the message names.",
    "unknown_fault": "name one of the faults that the message lists.",
    "unknown_drill": "name one of the mistakes or faults that the message lists.",
    "unknown_line": "use a text that occurs exactly once, such as a whole line of the server.",
    "unknown_handler": "name `onboarding` or `callback`, the two handlers of a server.",
    # A command behind the sandbox's front cannot start.
    "no_trustme": "run `pip install 'ddoauth-kit[grade]'`.",
    "command_not_found": "check the spelling and PATH; write `./serve` for a file in this folder.",
    "command_not_started": (
        "check that it is a program for this machine, and that its first line names an interpreter "
        "that is installed."
    ),
    "bad_allowed_host": (
        "write `HOST`, `HOST:PORT` or `*.DOMAIN` after `--allow`, but none of Datadog's hosts."
    ),
    "bad_host_name": "give a host name such as `api.datadoghq.com`.",
    "port_forbidden": "start with `--isolate`, or as a user who can open the port.",
    "no_namespaces": "start without `--isolate`, or let an administrator allow user namespaces.",
    "not_isolated": "start with `ddoauth sandbox --isolate -- COMMAND`.",
    "no_browser": "install Chromium and start in a desktop session, or leave `--open` out.",
    "port_taken": "stop the program that uses the port, or leave out the port to get a free one.",
    # Grading somebody's server cannot begin.
    "no_settings": (
        "write the settings once with `ddoauth grade --init URL -- COMMAND`, or name a file "
        "with `--file`."
    ),
    "bad_settings": "correct the value that the message names, and run the command again.",
    "unknown_setting": "use one of the names that the message lists.",
    "literal_secret": (
        "write `{env:NAME}` in the settings, and set that variable where you run `ddoauth grade`."
    ),
    "no_variable": "set the variable that the message names, and run the command again.",
    "datadog_address": "name the address of your own server that sends the customer to Datadog.",
    "file_exists": "move the file, or use it: `ddoauth grade`.",
    "unknown_check": "use one of the checks listed in `.github/GRADE.md`.",
    "not_a_grade": "name a folder that `ddoauth grade --out` wrote.",
    "bad_client": (
        "correct `client` in the settings: a file such as `assets/oauth_clients.json`, or "
        "`redirect_uris` and `scopes`."
    ),
    "no_command": (
        "set `command` in `[server]`, add `-- COMMAND`, or grade a running server with "
        "`--sandbox URL`."
    ),
    "no_server": "start the server, and check its port in `[start]` and `ready` in `[server]`.",
    "port_in_use": "stop the program that answers there, or grade it with `--sandbox URL`.",
    "server_ended": (
        "run the command by itself and read its output, then set the variables that it needs in "
        "`[server.env]`."
    ),
    "server_not_ready": (
        "check the port, set `ready` to a text that the server prints once it is up, and check "
        "whether the server is waiting for a database."
    ),
    "server_slow": "find out what the server waits for, or raise `patience`.",
    "server_failed": "read the server's output, and check `[server.env]`.",
    "server_closed": (
        "read the server's output: its process or a proxy in front of it ended the connection."
    ),
    "slow_down": "raise the server's own rate limit while you grade it.",
    "circle": "open the address in a browser, and find the redirect that leads back.",
    "login_needed": (
        "describe in `[login]` how a new browser logs in: a request with fields, or a command."
    ),
    "login_failed": (
        "check the address and the fields of `[login]`, and the variables that they name."
    ),
    "no_playwright": (
        "install both with `pip install playwright` and `playwright install chromium`, or leave "
        "`--browser` out."
    ),
    "browser_needed": (
        "add `--browser`, or name an address in `[start]` that redirects to Datadog, a JSON "
        "response or a line of the log."
    ),
    "no_link": "in `[start]`, name the address that redirects to Datadog.",
    "no_field": (
        "in `field` of `[start]`, name the field of the JSON response that holds the address; use "
        "dots for nested fields."
    ),
    "no_line": "in `log` of `[start]`, put a text from the line that holds the address.",
    "other_client": (
        "give the server `{client_id}` and `{client_secret}` in `[server.env]`, under the "
        "names that it reads."
    ),
    "untrusted_ca": (
        "make the server read the variable that the message names, or connect it to the sandbox "
        "in another way."
    ),
    "front_bypassed": (
        "set the variable that the message names, or configure the server with the sandbox's "
        "base URLs."
    ),
    "not_connected_page": (
        "correct `[connected]`: a text on the page, its address, or the address of a status "
        "endpoint."
    ),
    "consent_refused": (
        "read the reason in the message: Datadog's consent page would say the same."
    ),
    "not_connected": "get one normal connection to work first: `ddoauth grade --only pkce-s256`.",
    "first_look_failed": (
        "fix the problem that the message describes, or write the settings by hand, as shown in "
        "`.github/GRADE.md`."
    ),
    "not_this_machine": (
        "name the address that `ddoauth sandbox` printed, such as http://127.0.0.1:8000."
    ),
    "no_control_key": (
        "start `ddoauth sandbox --env` as the same user, and name the address that it prints."
    ),
    "sandbox_unreachable": "start the sandbox again, and then the server.",
    "sandbox_refused": "use the same version of the kit for the sandbox and the grader.",
    "no_own_sandbox": "open a separate lab for this: `open_sandbox_lab()`.",
    "missing_package": (
        "run the command that the message shows, or install everything that the lessons need: "
        'pip install "ddoauth-kit[workbook]".'
    ),
    "not_an_integration": (
        "name the folder that holds the integration's `manifest.json` and `README.md`."
    ),
    "bad_base": (
        "name a branch, tag or commit of this repository, fetch it first, or give an earlier "
        "manifest with `--earlier`."
    ),
    "bad_earlier_manifest": "give a manifest of the same integration that holds its `app_uuid`.",
    "bad_probes_file": (
        "give the output of `ddoauth probe --format json`: a list of objects with `site`, "
        "`scope` and `verdict`."
    ),
    # The authorization response.
    "invalid_client_id": (
        "check the client id and the site: a private client can be authorized only in the "
        "organization that created it, and each site has its own."
    ),
    "mismatching_redirect_uri": (
        "register the redirect URI exactly as it is sent, including port and trailing slash."
    ),
    "access_denied": (
        "ask the customer to authorize again; they need every permission behind the scopes."
    ),
    "invalid_scope": (
        "remove the scope that the message names, that this site doesn't know, or that is not "
        "part of the client: one bad scope makes the whole request fail."
    ),
    "authorization_refused": "read what the server said, and correct the authorization request.",
    "not_a_redirect": (
        "paste the whole address of the page where the browser ends up. A server passes the "
        "query string of the request; scheme, host and port do not matter."
    ),
    "no_redirect_in_time": (
        "start again and respond to the consent page in time. If the browser runs on another "
        "machine, set DDOAUTH_CONSENT=paste and paste the address of the page where it ends up."
    ),
    "wait_cancelled": "start again when you are ready; the port is free.",
    "missing_state": "start again; a redirect without `state` can't be trusted.",
    "wrong_state": (
        "start again and finish in the browser session that began the authorization. A server "
        "with several processes needs one `pending` for all of them, such as `SharedPending`."
    ),
    "missing_session": (
        "give each browser a random session cookie before you call `begin`, and pass its value; a "
        "program that serves one person passes `ONE_PERSON`."
    ),
    "duplicate_parameter": "start again; a parameter that occurs twice can't be trusted.",
    "missing_code": (
        "start again and click Authorize; check that your server passes on the whole URL."
    ),
    "missing_domain": "start again; without `domain`, the region and its host are unknown.",
    "foreign_domain": (
        "do not send the client secret anywhere: the redirect names a host that is not a "
        "Datadog site. Start again from the integration tile."
    ),
    "domain_changed": "start again from the tile of the organization that you want to connect.",
    "wrong_client_id": "finish the authorization with the client that started it.",
    "wrong_issuer": "start again; the response may come from another authorization server.",
    # The token and revocation endpoints.
    "invalid_grant": (
        "start a new authorization. The same text has five causes: the code was used before, the "
        "code is older than ten minutes, the verifier belongs to another attempt, the redirect URI "
        "differs, or the request went to a site other than the one that the redirect's `domain` "
        "names."
    ),
    "invalid_refresh_token": (
        "forget this grant and ask the customer to authorize again; do not retry: the grant was "
        "revoked, a newer refresh token replaced this one, or the token belongs to another client "
        "or site."
    ),
    "grant_ended": (
        "ask the customer to authorize again, with `begin` and `complete`, and store the result."
    ),
    "invalid_client": (
        "compare client id and secret with the Developer Platform (or, for a sandbox, with the "
        "lines that `ddoauth sandbox` prints): the private client, the published client and each "
        "site have different ones."
    ),
    "no_refresh_token": "ask the customer to authorize again; there is nothing to refresh with.",
    "other_token_endpoint": (
        "set DDOAUTH_TOKEN_ENDPOINT, or the registration's `token_endpoint`, to the endpoint that "
        "issued the grant, and refresh once more; if that is refused as well, forget the grant and "
        "ask the customer to authorize again."
    ),
    "token_endpoint_missing": (
        "set DDOAUTH_TOKEN_ENDPOINT, or the registration's `token_endpoint`, to the other value "
        "(`v1` or `v2`), then authorize again; `ddoauth doctor --token-endpoint` finds out which "
        "one responds. The kit does not try the other one on its own, because a code works only "
        "once."
    ),
    "token_refused": "read what the server said, and compare the request with the transcript.",
    # The APIs.
    "unauthorized": (
        "call GET /api/v2/current_user with the same token: if that works, the endpoint does not "
        "support OAuth or needs another scope; if not, refresh or authorize again."
    ),
    "scope_missing": (
        "compare the granted scopes with what the call needs. The authorizing user may also lack "
        "the permission itself; the response is the same. If GET /api/v2/current_user also fails, "
        "the problem is the token."
    ),
    "not_found": "check the id and the site; the object may be in another organization.",
    "rate_limited": "wait for the number of seconds in the response, then try again.",
    "api_refused": "read what the server said, and compare the request with the API reference.",
    "api_key_exists": (
        "use the key that was stored when it was created. If it is lost, the customer revokes "
        "the key named after your client under Organization Settings > API Keys; then run the "
        "whole authorization again."
    ),
    "api_key_not_kept": (
        "save `error.api_key.key.reveal()` in your secret manager now, before the process ends: "
        "it is the only copy, and Datadog never shows it again."
    ),
    "api_key_scope_missing": (
        "add `api_keys_write` to the client's scopes and authorize again: it is the only scope "
        "that opens the marketplace endpoint."
    ),
    "api_key_required": (
        "send this request with the API key in the `DD-API-KEY` header; an access token can't "
        "send data."
    ),
    "api_key_refused": (
        "validate the key on the site it was created on; the customer may have revoked it."
    ),
    # Unreadable responses, and no response.
    "server_error": "try again later; if it keeps happening, check Datadog's status page.",
    "proxy_answer": (
        "log in to the proxy or network between this machine and Datadog, or ask its "
        "administrator to allow Datadog's API hosts."
    ),
    "html_answer": (
        "check the host: a web page instead of JSON often comes from the app host, or from a "
        "proxy on the way."
    ),
    "malformed_json": (
        "try again, unless this was a code exchange or a key creation: the code may already be "
        "used up, and the key may already exist. If it keeps happening, look for a proxy that "
        "truncates or rewrites responses."
    ),
    "unexpected_answer": "compare the masked response in the transcript with the API reference.",
    "unexpected_redirect": (
        "check the host: the kit does not follow redirects, because they could carry credentials "
        "elsewhere."
    ),
    "answer_too_large": "narrow the request: the response is larger than the kit's limit.",
    "no_network": (
        "check the connection, the proxy settings and the site's name. If the message names a "
        "server on this machine, the sandbox has ended: start `ddoauth sandbox` again and type the "
        "lines that it prints; in a notebook, run the lesson again from its first cell."
    ),
    "no_sandbox": (
        "start `ddoauth sandbox` again, and type all the lines that it prints: its address has "
        "changed."
    ),
    "timeout": (
        "try again, unless this was a code exchange or a key creation: the code may already be "
        "used up, and the key may already exist."
    ),
    "tls_error": (
        "check the clock, check whether a proxy replaces certificates (SSL_CERT_FILE), and make "
        "sure that no API host has a vanity subdomain in front."
    ),
    "cut_off": (
        "try again, unless this was a code exchange or a key creation: the code may already be "
        "used up, and the key may already exist."
    ),
}
