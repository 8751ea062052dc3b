# A Rack server that connects Datadog with Faraday alone, whose documentation shows each request.
require 'base64'
require 'digest'
require 'faraday'
require 'json'
require 'rack'
require 'rack/session/cookie'
require 'securerandom'

PORT = ENV.fetch('PORT').to_i
CALLBACK = "http://localhost:#{PORT}/oauth/callback".freeze
CLIENT = { client_id: ENV.fetch('DD_CLIENT_ID'), client_secret: ENV.fetch('DD_CLIENT_SECRET') }.freeze
AUTHORIZE = 'https://app.datadoghq.com/oauth2/v1/authorize'.freeze
GRANTS = {} # by organization; a real server has a database

API = Faraday.new(url: 'https://api.datadoghq.com') do |http|
  http.request :url_encoded
  http.response :raise_error
  http.adapter Faraday.default_adapter
end

def tokens(fields)
  JSON.parse(API.post('/api/v2/oauth2/token', CLIENT.merge(fields)).body)
end

def monitors(grant)
  API.get('/api/v1/monitor') { |call| call.headers['Authorization'] = "Bearer #{grant['access_token']}" }
end

def refreshed(org)
  fields = { grant_type: 'refresh_token', refresh_token: GRANTS[org]['refresh_token'] }
  GRANTS[org] = GRANTS[org].merge(tokens(fields))
end

ROUTES = {
  '/' => ->(request) { request.session['org'] ? [200, 'Connected to Datadog'] : [200, 'Welcome'] },
  '/connect/datadog' => lambda do |request|
    request.session['state'] = SecureRandom.urlsafe_base64(32)
    request.session['verifier'] = SecureRandom.urlsafe_base64(32)
    challenge = Base64.urlsafe_encode64(Digest::SHA256.digest(request.session['verifier']), padding: false)
    asked = { response_type: 'code', client_id: CLIENT[:client_id], redirect_uri: CALLBACK,
              scope: 'monitors_read dashboards_read', state: request.session['state'],
              code_challenge: challenge, code_challenge_method: 'S256' }
    [302, "#{AUTHORIZE}?#{Faraday::Utils.build_query(asked)}"]
  end,
  '/oauth/callback' => lambda do |request|
    state, verifier = %w[state verifier].map { |name| request.session.delete(name) }
    return [400, 'Datadog was not connected.'] unless state && state == request.params['state']
    return [400, 'Datadog was not connected.'] unless request.params['code']

    grant = tokens(grant_type: 'authorization_code', code: request.params['code'],
                   redirect_uri: CALLBACK, code_verifier: verifier)
    request.session['org'] = request.params['dd_oid']
    GRANTS[request.session['org']] = grant
    [302, '/']
  end,
  '/monitors' => lambda do |request|
    org = request.session['org']
    return [409, 'Connect Datadog first.'] unless GRANTS[org]

    begin
      monitors(GRANTS[org])
    rescue Faraday::UnauthorizedError
      monitors(refreshed(org))
    end
    [200, 'These are your monitors.']
  end
}.freeze

app = Rack::Builder.new do
  use Rack::Session::Cookie, secret: ENV.fetch('SESSION_SECRET')
  run(lambda do |env|
    request = Rack::Request.new(env)
    route = ROUTES[request.path]
    begin
      status, text = route ? route.call(request) : [404, 'Not found.']
    rescue Faraday::Error, JSON::ParserError
      status, text = [502, 'Datadog did not answer as it should.']
    end
    headers = { 'content-type' => 'text/html; charset=utf-8' }
    status == 302 ? [302, { 'location' => text }, []] : [status, headers, [text]]
  end)
end

Rack::Handler.get('webrick').run(app, Host: 'localhost', Port: PORT)
