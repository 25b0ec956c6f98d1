-- Where the shared data set is copied to before mapping.toml's last statement places it in our tables.
CREATE UNLOGGED TABLE stage_segment (
    id uuid, name text, min_p2p numeric, max_p2p numeric, min_balance numeric, max_balance numeric, is_active boolean,
    created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_template (
    id uuid, name text, communication_type text, subject text, body text, is_active boolean,
    created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_rule (
    id uuid, segment_id uuid, template_id uuid, name text, channel text, trigger_type text, trigger_days integer,
    is_active boolean, created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_debtor (
    id uuid, email text, first_name text, last_name text, mobile_phone text, legal_entity text, dob date, address_line1 text,
    address_line2 text, city text, region_state text, postal_code text, country_code text, language_preference text,
    created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_debt (
    id uuid, debtor_id uuid, segment_id uuid, original_creditor text, currency_code text, original_balance numeric,
    current_balance numeric, current_status text, placement_date date, due_date date, p2p_score numeric,
    created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_payment (
    id uuid, debt_id uuid, amount numeric, currency_code text, payment_method text, status text, processor_txn_id text,
    created_at timestamptz, updated_at timestamptz
);
CREATE UNLOGGED TABLE stage_log (
    id uuid, debt_id uuid, strategy_rule_id uuid, channel text, status text, subject text, body text, "timestamp" timestamptz
);
CREATE UNLOGGED TABLE stage_activity (
    id uuid, debtor_id uuid, debt_id uuid, activity_type text, page_url text, ip_address text, "timestamp" timestamptz
);
