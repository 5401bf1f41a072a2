"""Pure rules of activities: kinds, states, the queue, sign-ups and consent, the plan, money, evaluation, paper."""
