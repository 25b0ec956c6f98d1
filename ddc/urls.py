"""Every route, by app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from audit.export_admin import export
from casework.admin import find, work
from ddc import charts
from ddc.common.admin.pages import options
from ddc.common.api import problems
from ddc.common.views import DocsView, HealthView, HomeView, SchemaView, metrics_page
from ddc.system_health import check_progress, system_health
from portal import viewing_admin

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("health", HealthView.as_view({"get": "retrieve"}), name="health"),
    path("metrics", metrics_page, name="metrics"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(url_name="schema"), name="docs"),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("", include("agency.urls")),
    path("", include("agents.admin.urls")),
    path("admin/autocomplete/", admin.site.admin_view(options)),
    path("admin/health/", admin.site.admin_view(system_health), name="system-health"),
    path("admin/health/<uuid:check_id>/", admin.site.admin_view(check_progress), name="system-check-progress"),
    path("admin/export/<str:app>/<str:model>/", admin.site.admin_view(export), name="export_changelist"),
    path("admin/find/", admin.site.admin_view(find.find), name="find"),
    # In the place of django-unfold's, to whose address its pages link.
    path("admin/search/", admin.site.admin_view(find.command)),
    path("admin/figures/<slug:slug>/", admin.site.admin_view(charts.download), name="figures"),
    path("admin/work/<slug:kind>/", admin.site.admin_view(work.work), name="work"),
    path("admin/work/<slug:kind>/leave/", admin.site.admin_view(work.leave), name="leave_work"),
    path("admin/as-debtor/<uuid:pk>/<slug:page>/", viewing_admin.see, name="see-as-debtor"),
    path("admin/", admin.site.urls),
    # The portal's /debtors/auth and /debtors/me come before /debtors/<id>.
    path("", include("portal.urls")),
    path("", include("agents.urls")),
    path("", include("creditors.urls")),
    path("", include("debtors.urls")),
    path("", include("collection.urls")),
    path("", include("arrangements.urls")),
    path("", include("payments.urls")),
    path("", include("communications.urls")),
    path("", include("strategy.urls")),
]
