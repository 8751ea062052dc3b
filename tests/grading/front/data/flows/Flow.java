import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Scanner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Go the whole OAuth flow by java.net.http, as flow.py does by Python's clients. */
class Flow {
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final String FORM = "application/x-www-form-urlencoded";

    static String env(String name) {
        return System.getenv(name);
    }

    static String form(String... pairs) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pairs.length; i += 2) {
            text.append(i == 0 ? "" : "&").append(pairs[i]).append('=');
            text.append(URLEncoder.encode(pairs[i + 1], StandardCharsets.UTF_8));
        }
        return text.toString();
    }

    static Map<String, String> query(String url) {
        Map<String, String> found = new HashMap<>();
        for (String pair : URI.create(url).getRawQuery().split("&")) {
            String[] parts = pair.split("=", 2);
            found.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        return found;
    }

    static String random() {
        byte[] bytes = new byte[48];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static String field(String name, HttpResponse<String> answer) {
        Matcher found = Pattern.compile("\"" + name + "\": ?\"([^\"]+)\"").matcher(answer.body());
        return found.find() ? found.group(1) : "";
    }

    static HttpResponse<String> send(String method, String url, String body, String... headers)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).headers(headers);
        return CLIENT.send(request.method(method, BodyPublishers.ofString(body)).build(),
            BodyHandlers.ofString());
    }

    static HttpResponse<String> post(String url, String form) throws Exception {
        String own = form("client_id", env("CLIENT_ID"), "client_secret", env("CLIENT_SECRET"));
        return send("POST", url, form + "&" + own, "Content-Type", FORM);
    }

    static String calledBack(Map<String, String> came, String verifier) throws Exception {
        String api = "https://api." + came.get("domain");
        String token = api + "/api/v2/oauth2/token";
        HttpResponse<String> tokens = post(token, form("grant_type", "authorization_code",
            "code", came.get("code"), "code_verifier", verifier,
            "redirect_uri", env("REDIRECT_URI")));
        String told = "token=" + tokens.statusCode();
        if (tokens.statusCode() != 200) {
            return told;
        }
        String refresh = field("refresh_token", tokens);
        HttpResponse<String> fresh = post(token,
            form("grant_type", "refresh_token", "refresh_token", refresh));
        told += " refresh=" + fresh.statusCode();
        String bearer = "Bearer " + field("access_token", fresh);
        String user = api + "/api/v2/current_user";
        told += " user=" + send("GET", user, "", "Authorization", bearer).statusCode();
        HttpResponse<String> key = send("POST", api + "/api/v2/api_keys/marketplace", "",
            "Authorization", bearer);
        told += " key=" + key.statusCode();
        String event = "{\"title\": \"Connected\", \"text\": \"by a flow\"}";
        told += " event=" + send("POST", api + "/api/v1/events", event,
            "DD-API-KEY", field("key", key), "Content-Type", "application/json").statusCode();
        told += " revoke=" + post(api + "/oauth2/v1/revoke", form("token", refresh)).statusCode();
        return told + " after=" + send("GET", user, "", "Authorization", bearer).statusCode();
    }

    public static void main(String[] given) throws Exception {
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String site = query(lines.nextLine()).get("site");
            String verifier = random();
            String state = random();
            byte[] digest = MessageDigest.getInstance("SHA-256")
                .digest(verifier.getBytes(StandardCharsets.US_ASCII));
            System.out.println(site + "/oauth2/v1/authorize?" + form("response_type", "code",
                "client_id", env("CLIENT_ID"), "redirect_uri", env("REDIRECT_URI"),
                "scope", env("SCOPES"), "state", state, "code_challenge_method", "S256",
                "code_challenge",
                Base64.getUrlEncoder().withoutPadding().encodeToString(digest)));
            Map<String, String> came = query(lines.nextLine());
            if (!state.equals(came.get("state"))) {
                throw new IllegalStateException("the state is another one");
            }
            System.out.println(calledBack(came, verifier));
        }
    }
}
