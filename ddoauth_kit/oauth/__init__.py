"""Carry out the OAuth steps: PKCE, authorization and tokens; each one builds, sends and reads."""
