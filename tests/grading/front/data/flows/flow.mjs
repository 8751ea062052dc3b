// Go the whole OAuth flow by the client that is named first, as flow.py does by Python's.
import { createHash, randomBytes } from 'node:crypto'
import https from 'node:https'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SCOPES, NODE_CLIENTS } = process.env
const own = createRequire(`${NODE_CLIENTS}/`)
const secret = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET }
const agent = new https.Agent({ keepAlive: true })

const senders = {
  async fetch(method, url, headers, body) {
    const answer = await fetch(url, { method, headers, body, redirect: 'manual' })
    return [answer.status, await answer.text()]
  },
  async axios(method, url, headers, data) {
    const axios = own('axios')
    const answer = await axios({
      url, method, headers, data, validateStatus: () => true, responseType: 'text',
      transformResponse: (text) => text,
    })
    return [answer.status, answer.data]
  },
  https(method, url, headers, body) {
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, headers, agent }, (answer) => {
        let text = ''
        answer.on('data', (part) => (text += part))
        answer.on('end', () => resolve([answer.statusCode, text]))
      })
      request.on('error', reject)
      request.end(body)
    })
  },
}
const [way] = process.argv.slice(2)
const send = senders[way === 'openid-client' ? 'fetch' : way]
const post = async (url, fields) => {
  const kind = { 'content-type': 'application/x-www-form-urlencoded' }
  const [status, text] = await send('POST', url, kind, new URLSearchParams(fields).toString())
  return [status, status === 200 && text ? JSON.parse(text) : {}]
}

// The protocol by hand; openid-client has its own words for it.
const byHand = {
  async address(site, { challenge, state }) {
    const asked = new URLSearchParams({
      response_type: 'code', client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, scope: SCOPES,
      state, code_challenge: challenge, code_challenge_method: 'S256',
    })
    return `${site}/oauth2/v1/authorize?${asked}`
  },
  exchange: (came, { api, verifier }) =>
    post(`${api}/api/v2/oauth2/token`, {
      grant_type: 'authorization_code', code: came.searchParams.get('code'),
      code_verifier: verifier, redirect_uri: REDIRECT_URI, ...secret,
    }),
  refresh: (token, { api }) =>
    post(`${api}/api/v2/oauth2/token`, {
      grant_type: 'refresh_token', refresh_token: token, ...secret,
    }),
  revoke: async (token, { api }) => (await post(`${api}/oauth2/v1/revoke`, { token, ...secret }))[0],
}
const byLibrary = async () => {
  const client = await import(pathToFileURL(own.resolve('openid-client')).href)
  const config = (app, api) =>
    new client.Configuration(
      {
        issuer: app,
        authorization_endpoint: `${app}/oauth2/v1/authorize`,
        token_endpoint: `${api}/api/v2/oauth2/token`,
        revocation_endpoint: `${api}/oauth2/v1/revoke`,
      },
      CLIENT_ID,
      undefined,
      client.ClientSecretPost(CLIENT_SECRET),
    )
  const told = (work) => work.then((tokens) => [200, tokens], (error) => [error.status ?? error.cause?.status ?? String(error), {}])
  return {
    address: async (site, { challenge, state }) =>
      client.buildAuthorizationUrl(config(site, site), {
        redirect_uri: REDIRECT_URI, scope: SCOPES, state,
        code_challenge: challenge, code_challenge_method: 'S256',
      }).href,
    exchange: (came, { api, verifier, state }) =>
      told(
        client.authorizationCodeGrant(config(api, api), came, {
          pkceCodeVerifier: verifier, expectedState: state,
        }),
      ),
    refresh: (token, { api }) => told(client.refreshTokenGrant(config(api, api), token)),
    revoke: async (token, { api }) =>
      (await told(client.tokenRevocation(config(api, api), token)))[0],
  }
}

async function* calledBack(oauth, came, attempt) {
  if (came.searchParams.get('state') !== attempt.state) throw new Error('the state is another one')
  const api = `https://api.${came.searchParams.get('domain')}`
  const place = { ...attempt, api }
  let [status, tokens] = await oauth.exchange(came, place)
  yield `token=${status}`
  if (status !== 200) return
  let fresh
  ;[status, fresh] = await oauth.refresh(tokens.refresh_token, place)
  yield `refresh=${status}`
  tokens = { ...tokens, ...fresh }
  const bearer = { authorization: `Bearer ${tokens.access_token}` }
  yield `user=${(await send('GET', `${api}/api/v2/current_user`, bearer))[0]}`
  let text
  ;[status, text] = await send('POST', `${api}/api/v2/api_keys/marketplace`, bearer)
  yield `key=${status}`
  const key = JSON.parse(text).data.attributes.key
  const headers = { 'dd-api-key': key, 'content-type': 'application/json' }
  const event = JSON.stringify({ title: 'Connected', text: 'by a flow' })
  yield `event=${(await send('POST', `${api}/api/v1/events`, headers, event))[0]}`
  yield `revoke=${await oauth.revoke(tokens.refresh_token, place)}`
  yield `after=${(await send('GET', `${api}/api/v2/current_user`, bearer))[0]}`
}

const oauth = way === 'openid-client' ? await byLibrary() : byHand
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
for (let line; !(line = await lines.next()).done; ) {
  const verifier = randomBytes(48).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const attempt = { verifier, challenge, state: randomBytes(24).toString('base64url') }
  console.log(await oauth.address(new URL(line.value).searchParams.get('site'), attempt))
  const told = []
  const came = new URL((await lines.next()).value)
  for await (const each of calledBack(oauth, came, attempt)) told.push(each)
  console.log(told.join(' '))
}
agent.destroy()
