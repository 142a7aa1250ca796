// Before Swagger UI reads what /oauth/authorize answers: its script takes the + of a form (RFC 6749, appendix B) for one.
history.replaceState(null, '', location.pathname + location.search.replaceAll('+', '%20') + location.hash);
