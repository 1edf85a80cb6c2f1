-- Seed 02, feature 2: what the win-back page needs of a client's long-term memory (REQUIREMENTS A4).

do $$
begin
    if (
        select count(*) < 3
        from pg_attribute
        where
            attrelid = 'public.user_ltm_v2'::regclass
            and attname in ('last_visit_date', 'avg_visit_interval', 'churn_risk_score')
            and not attisdropped
    ) then
        alter table public.user_ltm_v2
        add column if not exists last_visit_date timestamptz,
        add column if not exists avg_visit_interval integer,
        add column if not exists churn_risk_score numeric default 0.0;
    end if;
end
$$;
