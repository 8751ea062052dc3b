"""Carry out the OAuth steps: PKCE, authorization and tokens; each step builds, sends and reads."""
