-- What a service request of an erased customer was called, so that whoever asks for it is told that it is gone, and by which erasure.
CREATE TABLE identity.erased_requests (id uuid PRIMARY KEY, number text NOT NULL UNIQUE, erasure uuid NOT NULL);
