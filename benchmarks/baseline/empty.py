"""One route that does nothing: what the server alone takes."""

from starlette.applications import Starlette
from starlette.routing import Route

from benchmarks.baseline.serving import hello, serve

if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", hello)]))
