"""`/api/v1/graphql`: a request -> its document -> plans -> statements -> a reply, all its parts in one module each."""
