// Everything a desk page runs, but the map and the charts.

import "./navigation.js";
import "./dialog.js";
import "./copy.js";
import "./countdown.js";
import "./panels.js";
import "./stream.js";
import "./live.js";
import "./paced.js";
import "./queue.js";
import "./search.js";
import "./alarm.js";
import "./keys.js";
