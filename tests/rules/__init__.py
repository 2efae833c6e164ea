"""What rules and the contact policy promise. Reading order: telling (how tests speak), the tests of sentences, oracle, the properties."""
