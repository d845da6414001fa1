"""The league: other ways of selling limited stock, on the same server with the same load."""
