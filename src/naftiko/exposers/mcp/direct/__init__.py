"""Common messages answered without the SDK, as it would answer them; what is in doubt is the SDK's."""
