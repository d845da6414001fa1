"""The centre of the edge: nodes report who waits and hear with which chance to forward. For nodes only."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from redis import RedisError

from flashsale import shedding


@csrf_exempt  # a node carries the key of the edge, no cookie
@never_cache
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Take one node's counts and answer `sale chance`, one a line; 404 for anybody else."""
    if not shedding.is_node(request.headers.get("Authorization", "")):
        raise Http404
    try:
        node, waiting = shedding.read_report(request.body)
    except ValueError:
        return HttpResponse("A report is a name and lines of three numbers.\n", status=400)
    try:
        chances = shedding.hear(node=node, waiting=waiting)
    except RedisError:
        return HttpResponse("The cache is away: forward everybody.\n", status=503)
    text = "".join(f"{sale} {chance:.9f}\n" for sale, chance in chances.items())
    return HttpResponse(text, content_type="text/plain")


urlpatterns = [path("edge/report", report, name="edge-report")]
