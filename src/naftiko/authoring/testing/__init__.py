"""Cases beside a capability, `NAME.test.yaml`: what is called, what the upstream gets and answers, what comes back."""
