<?php
// Go the whole OAuth flow by PHP's curl, as flow.py does by Python's clients.

const FORM = 'Content-Type: application/x-www-form-urlencoded';

function send(string $method, string $url, array $headers, string $body = ''): array
{
    static $link = null;
    $link ??= curl_init();
    curl_reset($link);
    curl_setopt_array($link, [CURLOPT_URL => $url, CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true]);
    if ($method === 'POST') {
        curl_setopt($link, CURLOPT_POSTFIELDS, $body);
    }
    $text = curl_exec($link);
    if ($text === false) {
        fwrite(STDERR, curl_error($link) . "\n");
    }
    return [curl_getinfo($link, CURLINFO_RESPONSE_CODE), json_decode((string) $text, true)];
}

function post(string $url, array $fields): array
{
    $own = ['client_id' => getenv('CLIENT_ID'), 'client_secret' => getenv('CLIENT_SECRET')];
    return send('POST', $url, [FORM], http_build_query($own + $fields));
}

function query(string $url): array
{
    parse_str(parse_url(trim($url), PHP_URL_QUERY), $found);
    return $found;
}

function random(): string
{
    return rtrim(strtr(base64_encode(random_bytes(48)), '+/', '-_'), '=');
}

function called_back(array $came, string $verifier): array
{
    $api = "https://api.{$came['domain']}";
    $token = "$api/api/v2/oauth2/token";
    [$told['token'], $tokens] = post($token, ['grant_type' => 'authorization_code',
        'code' => $came['code'], 'code_verifier' => $verifier,
        'redirect_uri' => getenv('REDIRECT_URI')]);
    if ($told['token'] !== 200) {
        return $told;
    }
    $refresh = $tokens['refresh_token'];
    [$told['refresh'], $fresh] = post($token,
        ['grant_type' => 'refresh_token', 'refresh_token' => $refresh]);
    $bearer = ["Authorization: Bearer {$fresh['access_token']}"];
    [$told['user']] = send('GET', "$api/api/v2/current_user", $bearer);
    [$told['key'], $key] = send('POST', "$api/api/v2/api_keys/marketplace", $bearer);
    $headers = ["DD-API-KEY: {$key['data']['attributes']['key']}", 'Content-Type: application/json'];
    $event = json_encode(['title' => 'Connected', 'text' => 'by a flow']);
    [$told['event']] = send('POST', "$api/api/v1/events", $headers, $event);
    [$told['revoke']] = post("$api/oauth2/v1/revoke", ['token' => $refresh]);
    [$told['after']] = send('GET', "$api/api/v2/current_user", $bearer);
    return $told;
}

while (($line = fgets(STDIN)) !== false) {
    $verifier = random();
    $state = random();
    $challenge = rtrim(strtr(base64_encode(hash('sha256', $verifier, true)), '+/', '-_'), '=');
    $asked = ['response_type' => 'code', 'client_id' => getenv('CLIENT_ID'),
        'redirect_uri' => getenv('REDIRECT_URI'), 'scope' => getenv('SCOPES'), 'state' => $state,
        'code_challenge' => $challenge, 'code_challenge_method' => 'S256'];
    echo query($line)['site'], '/oauth2/v1/authorize?', http_build_query($asked), "\n";
    $came = query(fgets(STDIN));
    if ($came['state'] !== $state) {
        exit("the state is another one\n");
    }
    $told = [];
    foreach (called_back($came, $verifier) as $name => $status) {
        $told[] = "$name=$status";
    }
    echo implode(' ', $told), "\n";
}
