"""One port to the hospital behind the gateway, one adapter a product."""
