"""The pages of activities: for officers and grid workers, for paper, and for anybody who scans the QR."""
