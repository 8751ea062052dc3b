import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Send one request; print its status. */
class Call {
    public static void main(String[] given) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(given[0]));
        if (given.length > 1) {
            request.header("Content-Type", "application/x-www-form-urlencoded");
            request.POST(HttpRequest.BodyPublishers.ofString(given[1]));
        }
        HttpClient client = HttpClient.newHttpClient();
        System.out.println(
            client.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
    }
}
