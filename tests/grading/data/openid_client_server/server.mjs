// A partner's server that does OAuth with Datadog right, with openid-client and node:http alone.
// Variables: DD_CLIENT_ID, DD_CLIENT_SECRET, REDIRECT_URI, SCOPES, STATE_FOLDER, SESSION_SECRET
// (signs the cookie), LOGIN_PASSWORD and PORT. It is one process; its state survives a restart.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import * as client from 'openid-client'

const { DD_CLIENT_ID, DD_CLIENT_SECRET, REDIRECT_URI, SCOPES, STATE_FOLDER } = process.env
const { SESSION_SECRET, LOGIN_PASSWORD, PORT } = process.env
const SECONDS = 8 // for each request to Datadog
const MARGIN = 30 // seconds before expiry from which a token counts as spent
const own = (domain) => [domain, domain]
const SITES = new Map([
  ...['datadoghq.com', 'datadoghq.eu', 'ddog-gov.com'].map((domain) => [domain, `app.${domain}`]),
  ...['us3', 'us5', 'ap1', 'ap2', 'uk1'].map((name) => own(`${name}.datadoghq.com`)),
  own('us2.ddog-gov.com'),
])
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

// What outlives a restart, in one file of this user's: grants by organization, and who has which.
mkdirSync(STATE_FOLDER, { recursive: true, mode: 0o700 })
const FILE = `${STATE_FOLDER}/grants.json`
let kept = { attempts: {}, grants: {}, customers: {}, keys: {} }
try {
  kept = JSON.parse(readFileSync(FILE, 'utf8'))
} catch (error) {
  if (error.code !== 'ENOENT') throw error
}
const store = () => {
  writeFileSync(`${FILE}.new`, JSON.stringify(kept), { mode: 0o600 })
  renameSync(`${FILE}.new`, FILE)
}

class Refusal extends Error {
  constructor(text, status = 400) {
    super(text)
    this.status = status
  }
}
const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
const page = (text, status = 200) => ({ status, body: `<!doctype html><title>Acme</title>${text}` })
const moved = (location, more = {}) => ({ status: 303, headers: { location, ...more } })
const answer = (value, status = 200) => ({ status, body: JSON.stringify(value) })

const signed = (value) =>
  `${value}.${createHmac('sha256', SESSION_SECRET).update(value).digest('hex')}`
const same = (a, b) => {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(one, other)
}
const sessionOf = (request) => {
  const found = /(?:^|; )acme=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
  return same(signed(found.slice(0, found.lastIndexOf('.'))), found) ? found : ''
}
const loggedIn = (request) => {
  const session = sessionOf(request)
  if (!session) throw new Refusal('Log in first.', 403)
  return session
}

const configs = new Map()
const datadog = (domain, app = SITES.get(domain)) => {
  const name = `${domain} ${app}`
  if (!configs.has(name)) {
    const server = {
      issuer: `https://${app}`,
      authorization_endpoint: `https://${app}/oauth2/v1/authorize`,
      token_endpoint: `https://api.${domain}/api/v2/oauth2/token`,
      revocation_endpoint: `https://api.${domain}/oauth2/v1/revoke`,
    }
    const secret = client.ClientSecretPost(DD_CLIENT_SECRET)
    const config = new client.Configuration(server, DD_CLIENT_ID, undefined, secret)
    config.timeout = SECONDS
    configs.set(name, config)
  }
  return configs.get(name)
}
// The page of a site: its own host, or a customer's subdomain of its domain.
const appHost = (domain, site) => {
  if (!SITES.has(domain)) throw new Refusal('This Datadog site is not one that we know.')
  let host
  try {
    host = site ? new URL(site).host : SITES.get(domain)
  } catch {
    throw new Refusal('Datadog named a site that is not an address.')
  }
  const base = domain.split('.').slice(-2).join('.')
  const others = [...SITES.values()].filter((other) => other !== SITES.get(domain))
  const vanity = host.endsWith(`.${base}`) && !others.includes(host)
  if (host !== SITES.get(domain) && !vanity) throw new Refusal('Site and domain do not fit.')
  return host
}

async function login(request) {
  let body = ''
  for await (const chunk of request) body += chunk
  const form = new URLSearchParams(body)
  const account = form.get('account')
  if (!account || !same(form.get('password') ?? '', LOGIN_PASSWORD)) {
    throw new Refusal('Wrong account or password.', 403)
  }
  const value = signed(`${randomBytes(32).toString('hex')}.${Buffer.from(account).toString('hex')}`)
  const https = request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : ''
  return moved('/', { 'set-cookie': `acme=${value}; Path=/; HttpOnly; SameSite=Lax${https}` })
}

async function connect(request, query) {
  const session = loggedIn(request)
  const domain = query.get('domain') || 'datadoghq.com'
  const app = appHost(domain, query.get('site'))
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  kept.attempts[state] = { session, verifier, ends: Date.now() + 600_000 }
  store()
  const url = client.buildAuthorizationUrl(datadog(domain, app), {
    redirect_uri: REDIRECT_URI,
    scope: SCOPES,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  return moved(url.href)
}

async function callback(request, query) {
  const session = loggedIn(request)
  const state = query.get('state') ?? ''
  const attempt = Object.hasOwn(kept.attempts, state) ? kept.attempts[state] : undefined
  if (attempt?.session !== session || attempt.ends < Date.now()) {
    throw new Refusal('This redirect belongs to no attempt of this browser. Connect again.')
  }
  if (new Set(query.keys()).size !== [...query.keys()].length) {
    throw new Refusal('A value of the redirect came twice. Connect again.')
  }
  delete kept.attempts[state]
  store()
  if (query.has('error')) throw new Refusal(`Datadog was not connected: ${query.get('error')}.`)
  if (query.has('client_id') && query.get('client_id') !== DD_CLIENT_ID) {
    throw new Refusal('The redirect is for another client.')
  }
  const domain = query.get('domain') ?? ''
  appHost(domain, query.get('site'))
  const arrived = new URL(REDIRECT_URI)
  arrived.search = query.toString()
  const checks = { pkceCodeVerifier: attempt.verifier, expectedState: state }
  const tokens = await client.authorizationCodeGrant(datadog(domain), arrived, checks)
  const org = `${domain} ${query.get('dd_oid') ?? ''}`
  kept.grants[org] = grantOf(tokens, domain, query.get('dd_org_name') ?? '')
  const [, account] = session.split('.')
  kept.customers[account] = { ...kept.customers[account], [session]: org }
  store()
  await apiKey(org)
  return moved('/connected')
}

const grantOf = (tokens, domain, name, before = {}) => ({
  ...before,
  domain,
  name: name || before.name,
  access: tokens.access_token,
  refresh: tokens.refresh_token ?? before.refresh,
  scope: tokens.scope ?? before.scope,
  ends: Date.now() + tokens.expires_in * 1000,
})

// One refresh at a time for each organization; whoever comes meanwhile waits for the same one.
const refreshing = new Map()
function refreshed(org) {
  if (!refreshing.has(org)) {
    const work = renew(org).finally(() => refreshing.delete(org))
    refreshing.set(org, work)
  }
  return refreshing.get(org)
}
async function renew(org) {
  const grant = kept.grants[org]
  try {
    const tokens = await client.refreshTokenGrant(datadog(grant.domain), grant.refresh)
    kept.grants[org] = grantOf(tokens, grant.domain, grant.name, grant)
  } catch (error) {
    if (error.error !== 'invalid_grant' && error.status !== 400 && error.status !== 401) throw error
    delete kept.grants[org]
    throw new Refusal('The connection to Datadog has ended. Connect again.', 409)
  } finally {
    store()
  }
  return kept.grants[org]
}

async function call(org, path, init = {}) {
  let grant = kept.grants[org]
  const due = Math.min(MARGIN * 1000, (grant.ends - Date.now()) / 2)
  if (due <= 0) grant = await refreshed(org)
  const ask = () =>
    fetch(`https://api.${grant.domain}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${grant.access}`, ...init.headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(SECONDS * 1000),
    })
  let response = await ask()
  if (response.status === 401) {
    grant = await refreshed(org)
    response = await ask()
  } else if (response.status === 429 && (init.method ?? 'GET') === 'GET') {
    const seconds = Number(response.headers.get('x-ratelimit-reset'))
    await wait(Math.min(Math.max(seconds || 1, 1), SECONDS) * 1000)
    response = await ask()
  }
  return response
}

// The key is shown once: it is stored before anything else, and never asked for again.
async function apiKey(org) {
  if (kept.keys[org] || !kept.grants[org].scope.includes('api_keys_write')) return kept.keys[org]
  const response = await call(org, '/api/v2/api_keys/marketplace', { method: 'POST' })
  if (response.status === 409) {
    throw new Refusal('Datadog has a key of ours already. Revoke it there, then connect again.', 409)
  }
  if (!response.ok) throw new Refusal('Datadog made no API key. Connect again.', 502)
  kept.keys[org] = (await response.json()).data.attributes.key
  store()
  return kept.keys[org]
}

const orgOf = (request) => {
  const session = loggedIn(request)
  const mine = kept.customers[session.split('.')[1]] ?? {}
  const org = mine[session] ?? Object.values(mine).at(-1)
  if (!kept.grants[org]) throw new Refusal('Connect Datadog first.', 409)
  return org
}

const ROUTES = {
  'GET /': (request) =>
    sessionOf(request)
      ? page('<a href="/connect/datadog">Connect Datadog</a>')
      : page('<form method="post" action="/login"><input name="account"><input name="password">'),
  'POST /login': login,
  'GET /connect/datadog': connect,
  'GET /oauth/callback': callback,
  'GET /connected': (request) => {
    const grant = kept.grants[orgOf(request)]
    const missing = SCOPES.split(' ').filter((scope) => !grant.scope.split(' ').includes(scope))
    const also = missing.length ? ` Not granted: ${missing.join(', ')}.` : ''
    return page(escaped(`Connected to Datadog: ${grant.name} (${grant.domain}).${also}`))
  },
  'POST /send': async (request) => {
    const org = orgOf(request)
    const response = await fetch(`https://api.${kept.grants[org].domain}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dd-api-key': await apiKey(org) },
      body: JSON.stringify({ title: 'acme.deploy', text: 'A deployment.' }),
      redirect: 'manual',
      signal: AbortSignal.timeout(SECONDS * 1000),
    })
    return answer({ sent: response.ok }, response.ok ? 200 : 502)
  },
  'GET /call': async (request) => {
    const { ok, status } = await call(orgOf(request), '/api/v1/monitor')
    return answer({ status }, ok ? 200 : 502)
  },
  'POST /refresh': async (request) => answer({ ends: (await refreshed(orgOf(request))).ends }),
  'POST /disconnect': async (request) => {
    const org = orgOf(request)
    const { domain, refresh } = kept.grants[org]
    delete kept.grants[org]
    store()
    await client.tokenRevocation(datadog(domain), refresh)
    return answer({ disconnected: domain })
  },
}

// What failed is said in our own words: errors of libraries may quote tokens.
const failed = (error) =>
  error instanceof Refusal
    ? page(escaped(error.message), error.status)
    : page('Datadog did not answer as expected. Check that you chose your own site; try again.', 502)

createServer(async (request, response) => {
  const url = new URL(request.url, REDIRECT_URI)
  const route = ROUTES[`${request.method} ${url.pathname}`]
  let result
  try {
    result = route ? await route(request, url.searchParams) : page('Not found.', 404)
  } catch (error) {
    result = failed(error)
  }
  response.writeHead(result.status, { ...HEADERS, ...result.headers }).end(result.body ?? '')
}).listen(Number(PORT), '127.0.0.1')
