"""Query parameters of templates and messages."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from communications.models import MessageStatus
from ddc.common.api.filters import FilterSet, IdFilter, WordFilter, YesNoFilter
from debtors.channels import Channel


class TemplateFilters(FilterSet):
    communication_type = WordFilter(Channel.values)
    is_active = YesNoFilter()
    search = django_filters.CharFilter(method="matching")

    def matching(self, templates: "QuerySet[Any]", name: str, text: str) -> "QuerySet[Any]":
        return templates.filter(Q(name__icontains=text) | Q(description__icontains=text))


class LogFilters(FilterSet):
    debtor_id = IdFilter()
    debt_id = IdFilter()
    communication_type = WordFilter(Channel.values)
    status = WordFilter(MessageStatus.values)
