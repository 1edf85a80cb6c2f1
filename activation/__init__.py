"""What goes back out of the marts: scores, churn figures for the bot's memory, messages for the bot to send."""
