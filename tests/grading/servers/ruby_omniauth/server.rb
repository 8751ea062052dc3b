# A Rack server that connects Datadog as the documentation of omniauth-oauth2 shows it.
require 'omniauth-oauth2'
require 'rack'
require 'rack/session/cookie'

module OmniAuth
  module Strategies
    class Datadog < OmniAuth::Strategies::OAuth2
      option :name, 'datadog'
      option :client_options,
             site: 'https://api.datadoghq.com',
             authorize_url: 'https://app.datadoghq.com/oauth2/v1/authorize',
             token_url: '/api/v2/oauth2/token'
      option :pkce, true
      option :scope, 'monitors_read dashboards_read'
      uid { SecureRandom.uuid }

      # The redirect carries parameters of Datadog's, and the registered address has none.
      def callback_url
        full_host + callback_path
      end
    end
  end
end

ROUTES = {
  '/' => lambda do |request|
    return [200, 'Connected to Datadog'] if request.session['connected']

    token = Rack::Protection::AuthenticityToken.token(request.session)
    field = %(<input type="hidden" name="authenticity_token" value="#{token}">)
    [200, %(<form method="post" action="/auth/datadog">#{field}<button>Connect Datadog</button></form>)]
  end,
  '/auth/datadog/callback' => lambda do |request|
    request.session['connected'] = !request.env['omniauth.auth'].credentials.token.nil?
    [302, '/']
  end,
  '/auth/failure' => ->(_) { [401, 'Datadog was not connected.'] }
}.freeze

app = Rack::Builder.new do
  use Rack::Session::Cookie, secret: ENV.fetch('SESSION_SECRET')
  use OmniAuth::Builder do
    provider :datadog, ENV.fetch('DD_CLIENT_ID'), ENV.fetch('DD_CLIENT_SECRET')
  end
  run(lambda do |env|
    request = Rack::Request.new(env)
    route = ROUTES[request.path]
    status, text = route ? route.call(request) : [404, 'Not found.']
    headers = { 'content-type' => 'text/html; charset=utf-8' }
    status == 302 ? [302, { 'location' => text }, []] : [status, headers, [text]]
  end)
end

Rack::Handler.get('webrick').run(app, Host: 'localhost', Port: ENV.fetch('PORT').to_i)
