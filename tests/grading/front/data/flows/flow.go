// Go the whole OAuth flow by golang.org/x/oauth2, as flow.py does by Python's clients.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

func random() string {
	bytes := make([]byte, 48)
	rand.Read(bytes)
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func config(app, api string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURL: os.Getenv("REDIRECT_URI"), Scopes: strings.Fields(os.Getenv("SCOPES")),
		Endpoint: oauth2.Endpoint{
			AuthURL: app + "/oauth2/v1/authorize", TokenURL: api + "/api/v2/oauth2/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

func status(err error) int {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return refused.Response.StatusCode
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 0
	}
	return 200
}

func send(client *http.Client, method, address, kind, body, key string, found any) int {
	request, _ := http.NewRequest(method, address, strings.NewReader(body))
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if key != "" {
		request.Header.Set("DD-API-KEY", key)
	}
	answer, err := client.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 0
	}
	defer answer.Body.Close()
	if found != nil {
		json.NewDecoder(answer.Body).Decode(found)
	}
	return answer.StatusCode
}

func calledBack(came url.Values, verifier string) string {
	api := "https://api." + came.Get("domain")
	own, with := config("", api), context.Background()
	tokens, err := own.Exchange(with, came.Get("code"), oauth2.SetAuthURLParam("code_verifier", verifier))
	told := fmt.Sprintf("token=%d", status(err))
	if err != nil {
		return told
	}
	// A source that finds its token ended asks for a fresh one.
	tokens.Expiry = time.Now().Add(-time.Minute)
	fresh, err := own.TokenSource(with, tokens).Token()
	told += fmt.Sprintf(" refresh=%d", status(err))
	bearer := own.Client(with, fresh)
	user := api + "/api/v2/current_user"
	told += fmt.Sprintf(" user=%d", send(bearer, "GET", user, "", "", "", nil))
	var made struct{ Data struct{ Attributes struct{ Key string } } }
	place := api + "/api/v2/api_keys/marketplace"
	told += fmt.Sprintf(" key=%d", send(bearer, "POST", place, "", "", "", &made))
	event, plain := `{"title": "Connected", "text": "by a flow"}`, http.DefaultClient
	key := made.Data.Attributes.Key
	told += fmt.Sprintf(" event=%d", send(plain, "POST", api+"/api/v1/events", "application/json", event, key, nil))
	form := url.Values{"token": {fresh.RefreshToken}, "client_id": {own.ClientID}, "client_secret": {own.ClientSecret}}
	kind := "application/x-www-form-urlencoded"
	told += fmt.Sprintf(" revoke=%d", send(plain, "POST", api+"/oauth2/v1/revoke", kind, form.Encode(), "", nil))
	return told + fmt.Sprintf(" after=%d", send(bearer, "GET", user, "", "", "", nil))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		onboarding, _ := url.Parse(lines.Text())
		verifier, state := random(), random()
		digest := sha256.Sum256([]byte(verifier))
		fmt.Println(config(onboarding.Query().Get("site"), "").AuthCodeURL(state,
			oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(digest[:])),
			oauth2.SetAuthURLParam("code_challenge_method", "S256")))
		lines.Scan()
		came, _ := url.Parse(lines.Text())
		if came.Query().Get("state") != state {
			fmt.Println("the state is another one")
			os.Exit(1)
		}
		fmt.Println(calledBack(came.Query(), verifier))
	}
}
