"""Carry out the OAuth steps: PKCE, authorization and tokens; each builds, sends and reads."""
