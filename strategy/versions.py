"""Versions of rules: which one counts for a debt.

The newest version counts for every anchor recorded since it was published. If running debts move to it, it counts for all
older ones too; if they stay, the version before it does, and so on.
"""

#: SQL of the versions in force of some rules, each with the time in which an anchor has to be recorded.
IN_FORCE = """
    SELECT * FROM (
        SELECT version.id AS version_id, version.rule_id, version.content,
            CASE version.running_debts WHEN 'move' THEN '-infinity' ELSE version.published_at END AS applies_from,
            coalesce(lead(version.published_at) OVER newer, 'infinity') AS applies_until,
            bool_or(version.running_debts = 'move') OVER (newer ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS is_left
        FROM strategy_rule_version AS version WHERE version.rule_id = ANY(%(rules)s::uuid[])
        WINDOW newer AS (PARTITION BY version.rule_id ORDER BY version.number)
    ) AS version WHERE is_left IS NOT TRUE"""
