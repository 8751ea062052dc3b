// Take openid-client through flows; a customer's browser is played by the test.
// For each flow, reads one JSON line with the addresses and the client, prints the URL to open,
// reads the address that the browser ended on, and prints what came of it.
import * as readline from 'node:readline/promises'
import * as client from 'openid-client'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const next = async () => (await lines.next()).value
const say = (value) => console.log(JSON.stringify(value))

async function judge(line) {
  const given = JSON.parse(line)
  const server = {
    issuer: given.issuer,
    authorization_endpoint: given.authorize_url,
    token_endpoint: given.token_url,
    revocation_endpoint: given.revoke_url,
  }
  const way = given.basic
    ? client.ClientSecretBasic(given.client_secret)
    : client.ClientSecretPost(given.client_secret)
  const config = new client.Configuration(server, given.client_id, undefined, way)
  client.allowInsecureRequests(config)

  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  say({ url: url.href })
  const arrived = new URL(await next())

  try {
    const tokens = await client.authorizationCodeGrant(config, arrived, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    })
    const user = new URL(`${given.api_url}/api/v2/current_user`)
    const before = await client.fetchProtectedResource(config, tokens.access_token, user, 'GET')
    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token)
    let again = ''
    try {
      await client.refreshTokenGrant(config, given.reuse ? tokens.refresh_token : 'made-up')
    } catch (error) {
      again = error.error ?? error.code
    }
    if (!given.reuse) await client.tokenRevocation(config, renewed.refresh_token)
    const after = await fetch(user, { headers: { authorization: `Bearer ${renewed.access_token}` } })
    say({
      scope: tokens.scope,
      before: before.status,
      rotated: renewed.refresh_token !== tokens.refresh_token,
      again,
      after: after.status,
    })
  } catch (error) {
    say({ failed: error.error ?? error.code, status: error.status ?? null })
  }
}

for (let line = await next(); line; line = await next()) await judge(line)
process.exit(0)
