#!/bin/sh
# Sends a batch of events through a running capability, and shows how a mistake is told.
# Start the server first: naftiko run capabilities/http-tracking-batch.yaml --sandbox
set -eu
base=${1:-http://127.0.0.1:8080}

echo "A batch of two events:"
curl -sS "$base/v1/batch" -H 'Content-Type: application/json' -d '{
  "batch": [
    {"type": "identify", "userId": "u1", "traits": {"email": "zoe@example.com"}},
    {"type": "track", "userId": "u1", "event": "Signed up", "properties": {"plan": "Enterprise"}}
  ]
}'
echo

echo "No body at all, which is told as a problem:"
curl -sS -X POST "$base/v1/batch"
echo
