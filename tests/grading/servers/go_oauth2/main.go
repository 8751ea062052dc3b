// A server that connects Datadog as the documentation of golang.org/x/oauth2 shows it, with PKCE by
// SetAuthURLParam.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

var (
	port   = os.Getenv("PORT")
	config = &oauth2.Config{
		ClientID:     os.Getenv("DD_CLIENT_ID"),
		ClientSecret: os.Getenv("DD_CLIENT_SECRET"),
		Scopes:       []string{"monitors_read", "dashboards_read"},
		RedirectURL:  "http://localhost:" + port + "/oauth/callback",
		Endpoint: oauth2.Endpoint{
			AuthURL:  "https://app.datadoghq.com/oauth2/v1/authorize",
			TokenURL: "https://api.datadoghq.com/api/v2/oauth2/token",
		},
	}
	client   = &http.Client{Timeout: 10 * time.Second}
	lock     sync.Mutex
	attempts = map[string]attempt{}
	sources  = map[string]oauth2.TokenSource{}
)

type attempt struct{ state, verifier string }

func random() string {
	bytes := make([]byte, 32)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func session(request *http.Request) string {
	cookie, err := request.Cookie("session")
	if err != nil {
		return ""
	}
	return cookie.Value
}

func connect(response http.ResponseWriter, request *http.Request) {
	id, made := random(), attempt{state: random(), verifier: random()}
	lock.Lock()
	attempts[id] = made
	lock.Unlock()
	digest := sha256.Sum256([]byte(made.verifier))
	challenge := base64.RawURLEncoding.EncodeToString(digest[:])
	http.SetCookie(response, &http.Cookie{
		Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	url := config.AuthCodeURL(made.state, oauth2.AccessTypeOffline,
		oauth2.SetAuthURLParam("code_challenge", challenge),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	http.Redirect(response, request, url, http.StatusFound)
}

func callback(response http.ResponseWriter, request *http.Request) {
	id := session(request)
	lock.Lock()
	made, found := attempts[id]
	delete(attempts, id)
	lock.Unlock()
	if !found || request.FormValue("state") != made.state {
		http.Error(response, "This redirect belongs to another attempt.", http.StatusBadRequest)
		return
	}
	if request.FormValue("error") != "" {
		http.Error(response, "Datadog was not connected.", http.StatusBadRequest)
		return
	}
	ctx := context.WithValue(request.Context(), oauth2.HTTPClient, client)
	token, err := config.Exchange(ctx, request.FormValue("code"),
		oauth2.SetAuthURLParam("code_verifier", made.verifier))
	if err != nil {
		http.Error(response, "Datadog gave no tokens.", http.StatusBadGateway)
		return
	}
	long := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	lock.Lock()
	sources[id] = config.TokenSource(long, token)
	lock.Unlock()
	http.Redirect(response, request, "/", http.StatusFound)
}

func source(request *http.Request) oauth2.TokenSource {
	lock.Lock()
	defer lock.Unlock()
	return sources[session(request)]
}

func home(response http.ResponseWriter, request *http.Request) {
	if source(request) == nil {
		fmt.Fprint(response, `<a href="/connect/datadog">Connect Datadog</a>`)
		return
	}
	fmt.Fprint(response, "Connected to Datadog")
}

func monitors(response http.ResponseWriter, request *http.Request) {
	tokens := source(request)
	if tokens == nil {
		http.Error(response, "Connect Datadog first.", http.StatusConflict)
		return
	}
	ctx := context.WithValue(request.Context(), oauth2.HTTPClient, client)
	answer, err := oauth2.NewClient(ctx, tokens).Get("https://api.datadoghq.com/api/v1/monitor")
	if err != nil {
		http.Error(response, "Datadog did not answer.", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		http.Error(response, "Datadog answered "+answer.Status, http.StatusBadGateway)
		return
	}
	fmt.Fprint(response, "listed")
}

func main() {
	http.HandleFunc("/", home)
	http.HandleFunc("/connect/datadog", connect)
	http.HandleFunc("/oauth/callback", callback)
	http.HandleFunc("/monitors", monitors)
	panic(http.ListenAndServe("localhost:"+port, nil))
}
