// Spans of time in words: the same sentences as rules.py, tested against the same table. Pure.

const WORDS = {
  zh: { s: " 秒", min: " 分", h: " 小时", d: " 天" },
  en: { s: " s", min: " min", h: " h", d: " d" },
};

/** Return a span of whole `seconds` ≥ 0 in its two largest units. */
export function span(seconds, language) {
  const words = WORDS[language];
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(seconds / 3600);
  const days = Math.floor(seconds / 86400);
  if (minutes === 0) return seconds + words.s;
  if (hours === 0) return minutes + words.min;
  if (days === 0) return hours + words.h + (minutes % 60 ? ` ${minutes % 60}${words.min}` : "");
  return days + words.d + (hours % 24 ? ` ${hours % 24}${words.h}` : "");
}

/** Return how long a deadline `ms` away still is, or by how much it has passed. */
export function timeLeft(ms, language) {
  if (ms > 0) {
    const spoken = span(Math.floor(ms / 1000), language);
    return language === "zh" ? `剩 ${spoken}` : `${spoken} left`;
  }
  const spoken = span(Math.floor(-ms / 1000), language);
  return language === "zh" ? `超时 ${spoken}` : `${spoken} late`;
}

/** Return how long ago something `ms` in the past was. */
export function timeAgo(ms, language) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return language === "zh" ? "刚刚" : "just now";
  return language === "zh" ? `${span(seconds, language)}前` : `${span(seconds, language)} ago`;
}
