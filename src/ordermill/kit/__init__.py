"""What every part may lean on: refusals, money, time, identity, ports. It knows no feature and no framework."""
