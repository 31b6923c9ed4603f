"""May we: topics, subscriptions, suppression, and the links that let a person stop."""
