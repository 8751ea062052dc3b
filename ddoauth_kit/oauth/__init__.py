"""Take the OAuth steps: PKCE, authorization, tokens; each is build, send, read."""
