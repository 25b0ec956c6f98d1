"""Tariffs: rate series, interest schedules and cost rules, by which debts bear interest and costs."""
