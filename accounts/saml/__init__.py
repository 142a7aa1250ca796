"""SAML 2.0, by python3-saml: reading what identity providers say, and writing what they are told."""
