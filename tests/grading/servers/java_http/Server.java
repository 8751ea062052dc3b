// A server that connects Datadog with the JDK alone: HttpServer, and java.net.http for its calls.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

public class Server {
    static final String PORT = System.getenv("PORT");
    static final String BACK = "http://localhost:" + PORT + "/oauth/callback";
    static final String TOKEN = "https://api.datadoghq.com/api/v2/oauth2/token";
    static final HttpClient CLIENT =
        HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    static final Map<String, Session> SESSIONS = new ConcurrentHashMap<>();

    static class Session {
        String state;
        String verifier;
        String access;
        String refresh;
    }

    interface Route {
        void answer(HttpExchange exchange, Session session) throws Exception;
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("localhost", Integer.parseInt(PORT)), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        route(server, "/", Server::home);
        route(server, "/connect/datadog", Server::connect);
        route(server, "/oauth/callback", Server::callback);
        route(server, "/monitors", Server::monitors);
        server.start();
    }

    static void route(HttpServer server, String path, Route route) {
        server.createContext(path, exchange -> {
            try (exchange) {
                answered(route, exchange);
            }
        });
    }

    static void answered(Route route, HttpExchange exchange) throws IOException {
        try {
            route.answer(exchange, session(exchange));
        } catch (Exception error) {
            page(exchange, 502, "Datadog did not answer as expected.");
        }
    }

    static void home(HttpExchange exchange, Session session) throws IOException {
        if (session.access != null) {
            page(exchange, 200, "Connected to Datadog");
        } else {
            page(exchange, 200, "<a href=\"/connect/datadog\">Connect Datadog</a>");
        }
    }

    static void connect(HttpExchange exchange, Session session) throws Exception {
        session.state = random();
        session.verifier = random();
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(session.verifier.getBytes(StandardCharsets.US_ASCII));
        move(exchange, "https://app.datadoghq.com/oauth2/v1/authorize?" + form(Map.of(
            "response_type", "code",
            "client_id", System.getenv("DD_CLIENT_ID"),
            "redirect_uri", BACK,
            "scope", "monitors_read dashboards_read",
            "state", session.state,
            "code_challenge", Base64.getUrlEncoder().withoutPadding().encodeToString(digest),
            "code_challenge_method", "S256")));
    }

    static void callback(HttpExchange exchange, Session session) throws Exception {
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        String state = session.state;
        session.state = null;
        if (state == null || !state.equals(query.get("state"))) {
            page(exchange, 400, "This redirect belongs to another attempt.");
        } else if (!query.containsKey("code")) {
            page(exchange, 400, "Datadog was not connected.");
        } else {
            tokens(session, Map.of(
                "grant_type", "authorization_code",
                "code", query.get("code"),
                "redirect_uri", BACK,
                "code_verifier", session.verifier));
            move(exchange, "/");
        }
    }

    static void monitors(HttpExchange exchange, Session session) throws Exception {
        if (session.access == null) {
            page(exchange, 409, "Connect Datadog first.");
            return;
        }
        int status = listed(session.access);
        if (status == 401) {
            tokens(session, Map.of("grant_type", "refresh_token", "refresh_token", session.refresh));
            status = listed(session.access);
        }
        page(exchange, status == 200 ? 200 : 502, "Datadog answered " + status);
    }

    static int listed(String access) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://api.datadoghq.com/api/v1/monitor"))
            .timeout(Duration.ofSeconds(10)).header("Authorization", "Bearer " + access).build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    static void tokens(Session session, Map<String, String> asked) throws Exception {
        Map<String, String> form = new TreeMap<>(asked);
        form.put("client_id", System.getenv("DD_CLIENT_ID"));
        form.put("client_secret", System.getenv("DD_CLIENT_SECRET"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(TOKEN))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form(form))).build();
        String body = CLIENT.send(request, HttpResponse.BodyHandlers.ofString()).body();
        String access = text(body, "access_token");
        String refresh = text(body, "refresh_token");
        if (access == null) {
            throw new IOException("no access token");
        }
        session.access = access;
        session.refresh = refresh == null ? session.refresh : refresh;
    }

    static String text(String json, String name) {
        var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]+)\"").matcher(json);
        return found.find() ? found.group(1) : null;
    }

    static Session session(HttpExchange exchange) {
        String cookies = String.join("; ", exchange.getRequestHeaders().getOrDefault("Cookie", java.util.List.of()));
        var found = Pattern.compile("(?:^|; )session=([\\w-]+)").matcher(cookies);
        if (found.find() && SESSIONS.containsKey(found.group(1))) {
            return SESSIONS.get(found.group(1));
        }
        String id = random();
        SESSIONS.put(id, new Session());
        exchange.getResponseHeaders().add("Set-Cookie", "session=" + id + "; Path=/; HttpOnly; SameSite=Lax");
        return SESSIONS.get(id);
    }

    static String random() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static String form(Map<String, String> pairs) {
        return pairs.entrySet().stream()
            .map(pair -> encoded(pair.getKey()) + "=" + encoded(pair.getValue()))
            .collect(Collectors.joining("&"));
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    static Map<String, String> query(String raw) {
        Map<String, String> found = new TreeMap<>();
        for (String pair : (raw == null ? "" : raw).split("&")) {
            String[] parts = pair.split("=", 2);
            found.put(parts[0], URLDecoder.decode(parts.length > 1 ? parts[1] : "", StandardCharsets.UTF_8));
        }
        return found;
    }

    static void move(HttpExchange exchange, String location) throws IOException {
        exchange.getResponseHeaders().add("Location", location);
        exchange.sendResponseHeaders(303, -1);
    }

    static void page(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
