-- For the strategy run: the bands and the rules of each currency, so that every debt falls into one, and what was sent as steps.
-- The peers' bands know no currency; ours are never compared across currencies. The matched debts are the same.
CREATE TEMPORARY TABLE currency AS SELECT DISTINCT currency_code AS code FROM debt WHERE currency_code <> 'EUR';

INSERT INTO segment (id, name, priority, min_p2p_score, max_p2p_score, min_balance, max_balance, currency_code, is_active,
    created_at, updated_at)
SELECT md5(s.id || code)::uuid, s.name || ' ' || code, priority, min_p2p_score, max_p2p_score, min_balance, max_balance, code,
    is_active, created_at, updated_at
FROM segment AS s CROSS JOIN currency;

INSERT INTO strategy_rule (id, segment_id, template_id, name, channel, trigger, max_lateness_days, priority,
    is_active, created_at, updated_at)
SELECT md5(r.id || code)::uuid, md5(r.segment_id || code)::uuid, template_id, r.name || ' ' || code, channel,
    trigger, max_lateness_days, priority, is_active, created_at, updated_at
FROM strategy_rule AS r CROSS JOIN currency;

UPDATE debt SET segment_is_pinned = false;

INSERT INTO strategy_run (status, date, dry_run, rules) VALUES ('done', '2025-12-31', false, '[]');
INSERT INTO strategy_step (rule_id, debt_id, occurrence, run_id, message_id)
SELECT rule.id, debt.id, debt.placement_date + (rule.trigger ->> 'days_since_placement')::int, (SELECT id FROM strategy_run), log.id
FROM stage_log AS log JOIN debt ON debt.id = log.debt_id
JOIN strategy_rule AS rule ON rule.id = CASE debt.currency_code WHEN 'EUR' THEN log.strategy_rule_id
    ELSE md5(log.strategy_rule_id || debt.currency_code)::uuid END;
