# Go the whole OAuth flow by Faraday, as flow.py does by Python's clients.
require "digest"
require "faraday"
require "json"
require "securerandom"
require "uri"

OWN = { client_id: ENV.fetch("CLIENT_ID"), client_secret: ENV.fetch("CLIENT_SECRET") }.freeze
REDIRECT = ENV.fetch("REDIRECT_URI")
$stdout.sync = true

def query(url)
  URI.decode_www_form(URI(url).query).to_h
end

def post(url, **fields)
  Faraday.post(url, URI.encode_www_form(OWN.merge(fields)))
end

def called_back(came, verifier)
  api = "https://api.#{came['domain']}"
  token = "#{api}/api/v2/oauth2/token"
  tokens = post(token, grant_type: "authorization_code", code: came["code"],
                       code_verifier: verifier, redirect_uri: REDIRECT)
  told = { token: tokens.status }
  return told if tokens.status != 200

  refresh = JSON.parse(tokens.body)["refresh_token"]
  fresh = post(token, grant_type: "refresh_token", refresh_token: refresh)
  told[:refresh] = fresh.status
  bearer = { "Authorization" => "Bearer #{JSON.parse(fresh.body)['access_token']}" }
  told[:user] = Faraday.get("#{api}/api/v2/current_user", nil, bearer).status
  key = Faraday.post("#{api}/api/v2/api_keys/marketplace", nil, bearer)
  told[:key] = key.status
  headers = { "DD-API-KEY" => JSON.parse(key.body).dig("data", "attributes", "key"),
              "Content-Type" => "application/json" }
  event = JSON.generate(title: "Connected", text: "by a flow")
  told[:event] = Faraday.post("#{api}/api/v1/events", event, headers).status
  told[:revoke] = post("#{api}/oauth2/v1/revoke", token: refresh).status
  told.merge(after: Faraday.get("#{api}/api/v2/current_user", nil, bearer).status)
end

while (line = $stdin.gets)
  verifier = SecureRandom.urlsafe_base64(48)
  state = SecureRandom.urlsafe_base64(24)
  asked = { response_type: "code", client_id: OWN[:client_id], redirect_uri: REDIRECT,
            scope: ENV.fetch("SCOPES"), state: state, code_challenge_method: "S256",
            code_challenge: Digest::SHA256.base64digest(verifier).tr("+/", "-_").delete("=") }
  puts "#{query(line.strip)['site']}/oauth2/v1/authorize?#{URI.encode_www_form(asked)}"
  came = query($stdin.gets.strip)
  abort "the state is another one" if came["state"] != state
  puts called_back(came, verifier).map { |name, status| "#{name}=#{status}" }.join(" ")
end
