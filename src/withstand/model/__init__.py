"""What a production network is: tables, arrays, scenarios, findings."""
