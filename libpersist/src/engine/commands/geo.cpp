// Places: sorted sets whose scores are cells of the Earth.
#include "engine/geo.hpp"

#include <array>
#include <vector>

#include "engine/commands/table.hpp"
#include "engine/commands/zset_range.hpp"

namespace persist {

namespace {

constexpr const char* kNoPoint = "ERR invalid longitude,latitude pair";
constexpr const char* kNoUnit = "ERR unsupported unit provided. please use M, KM, FT, MI";
constexpr const char* kNoMember = "ERR could not decode requested zset member";

GeoRules rules_of(const Profile& profile) {
  if (profile.is_before(602)) return GeoRules::redis_302;
  return profile.is_before(700) ? GeoRules::redis_602 : GeoRules::redis_700;
}

// Null: fine, else the error.
const char* read_point(Bytes longitude, Bytes latitude, GeoPoint& point) {
  const std::optional<double> x = parse_server_double(longitude);
  const std::optional<double> y = parse_server_double(latitude);
  if (!x || !y) return kNotFloat;
  point = {*x, *y};
  return is_geo_point(point) ? nullptr : kNoPoint;
}

// --- GEOADD

struct PlaceOptions {
  bool if_new = false;
  bool if_held = false;
  bool counts_changed = false;
};

Effect geoadd(Call& call) {
  PlaceOptions options;
  size_t at = 2;
  for (; at < call.args.size(); ++at) {
    if (is_word(call.args[at], "nx"))
      options.if_new = true;
    else if (is_word(call.args[at], "xx"))
      options.if_held = true;
    else if (is_word(call.args[at], "ch"))
      options.counts_changed = true;
    else
      break;
  }
  const std::span<const Bytes> places = call.args.subspan(at);
  if (places.empty() || places.size() % 3 != 0 || (options.if_new && options.if_held))
    return call.fail(kSyntax);
  std::vector<double> scores;
  for (size_t i = 0; i < places.size(); i += 3) {
    GeoPoint point;
    if (const char* error = read_point(places[i], places[i + 1], point)) return call.fail(error);
    scores.push_back(geo_score(point));
  }
  KeyEntry* const entry = call.find(call.args[1]);
  if (entry == nullptr && options.if_held) return call.done(0, false);
  const Found<SortedSet> found = call.find_or_make<SortedSet>(call.args[1]);
  if (!found) return call.wrong_type();
  int64_t fresh = 0;
  int64_t changed = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const Bytes member = places[i * 3 + 2];
    const bool held = found->score(member).has_value();
    if (held ? options.if_new : options.if_held) continue;
    const SortedSet::Set set = found->set(member, scores[i]);
    fresh += set == SortedSet::Set::added ? 1 : 0;
    changed += set == SortedSet::Set::changed ? 1 : 0;
  }
  return call.done(options.counts_changed ? fresh + changed : fresh, fresh + changed > 0);
}

// --- The searches

struct SearchWish {
  GeoSearch search;
  bool has_center = false;
  bool has_shape = false;
  bool center_missing = false;  // of a key that is not there
  bool with_point = false;
  bool with_distance = false;
  bool with_hash = false;
  bool stores_distance = false;
  std::optional<Bytes> destination;
};

// Reads the words of a search one after the other.
class SearchReader {
 public:
  SearchReader(Call& call, SortedSet* source) : call_(call), source_(source) {}

  SearchWish wish;

  // A key, a center and a radius, then options: the forms before 6.2.
  const char* read_old(bool by_member, bool may_store) {
    if (const char* error = by_member ? take_member(call_.args[2]) : take_point(2)) return error;
    const size_t at = by_member ? 3 : 4;
    // Servers do not look at the radius around a member of a key that is not there.
    if (!wish.center_missing) {
      if (const char* error = take_radius(at)) return error;
    }
    may_store_ = may_store;
    return take_options(at + 2);
  }

  const char* read_new(size_t at, bool stores) {
    is_new_ = true;
    stores_ = stores;
    if (const char* error = take_options(at)) return error;
    if (!wish.has_center) return "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified";
    if (!wish.has_shape) return "ERR exactly one of BYRADIUS and BYBOX can be specified";
    return nullptr;
  }

 private:
  const char* take_point(size_t at) {
    wish.has_center = true;
    return read_point(call_.args[at], call_.args[at + 1], wish.search.area.center);
  }

  const char* take_member(Bytes member) {
    wish.has_center = true;
    if (source_ == nullptr) {
      wish.center_missing = true;
      return nullptr;
    }
    const std::optional<double> score = source_->score(member);
    if (!score) return kNoMember;
    wish.search.area.center = geo_point(*score);
    return nullptr;
  }

  const char* take_unit(Bytes text) {
    const std::optional<double> unit = parse_geo_unit(text);
    if (!unit) return kNoUnit;
    wish.search.area.unit_m = *unit;
    wish.has_shape = true;
    return nullptr;
  }

  const char* take_radius(size_t at) {
    const std::optional<double> radius = parse_server_double(call_.args[at]);
    if (!radius) return "ERR need numeric radius";
    if (*radius < 0) return "ERR radius cannot be negative";
    wish.search.area.radius = *radius;
    return take_unit(call_.args[at + 1]);
  }

  const char* take_box(size_t at) {
    GeoArea& area = wish.search.area;
    area.is_box = true;
    const std::optional<double> width = parse_server_double(call_.args[at]);
    if (!width) return "ERR need numeric width";
    const std::optional<double> height = parse_server_double(call_.args[at + 1]);
    if (!height) return "ERR need numeric height";
    if (*width < 0 || *height < 0) return "ERR height or width cannot be negative";
    area.width = *width;
    area.height = *height;
    return take_unit(call_.args[at + 2]);
  }

  const char* take_count(size_t& at) {
    const std::optional<int64_t> count = integer_argument(call_, call_.args[++at]);
    if (!count) return kNotInteger;
    if (*count <= 0) return "ERR COUNT must be > 0";
    wish.search.count_max = static_cast<uint64_t>(*count);
    return nullptr;
  }

  const char* take_options(size_t at) {
    for (; at < call_.args.size(); ++at) {
      const size_t before = at;
      if (const char* error = take_option(at)) return error;
      if (at < before) return kSyntax;
    }
    const bool shows = wish.with_point || wish.with_distance || wish.with_hash;
    if (shows && (wish.destination || stores_)) {
      return "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
    }
    return nullptr;
  }

  // Moves `at` to the last word of the option.
  const char* take_option(size_t& at) {
    const Bytes word = call_.args[at];
    const size_t left = call_.args.size() - at - 1;
    if (is_word(word, "withdist")) {
      wish.with_distance = true;
    } else if (is_word(word, "withhash")) {
      wish.with_hash = true;
    } else if (is_word(word, "withcoord")) {
      wish.with_point = true;
    } else if (is_word(word, "asc")) {
      wish.search.order = GeoOrder::nearest_first;
    } else if (is_word(word, "desc")) {
      wish.search.order = GeoOrder::farthest_first;
    } else if (is_word(word, "count") && left >= 1) {
      return take_count(at);
    } else if (is_word(word, "any") && !call_.profile.is_before(602)) {
      wish.search.any = true;
    } else if (is_new_) {
      return take_new_option(word, left, at);
    } else if (may_store_ && left >= 1 && (is_word(word, "store") || is_word(word, "storedist"))) {
      wish.stores_distance = is_word(word, "storedist");
      wish.destination = call_.args[++at];
    } else {
      return kSyntax;
    }
    return nullptr;
  }

  const char* take_new_option(Bytes word, size_t left, size_t& at) {
    const size_t first = at + 1;
    if (is_word(word, "frommember") && left >= 1 && !wish.has_center) {
      at += 1;
      return take_member(call_.args[first]);
    }
    if (is_word(word, "fromlonlat") && left >= 2 && !wish.has_center) {
      at += 2;
      return take_point(first);
    }
    if (is_word(word, "byradius") && left >= 2 && !wish.has_shape) {
      at += 2;
      return take_radius(first);
    }
    if (is_word(word, "bybox") && left >= 3 && !wish.has_shape) {
      at += 3;
      return take_box(first);
    }
    if (stores_ && is_word(word, "storedist")) {
      wish.stores_distance = true;
      return nullptr;
    }
    return kSyntax;
  }

  Call& call_;
  SortedSet* source_;
  bool may_store_ = false;
  bool stores_ = false;
  bool is_new_ = false;
};

std::vector<GeoMatch> find_matches(const Call& call, SortedSet& source, SearchWish& wish) {
  wish.search.rules = rules_of(call.profile);
  return geo_search(wish.search, [&](double min, double max, GeoVisitor visit) {
    const ScoreOrder& order = source.order();
    const size_t from = order.count_until([&](const ScoredMember& member) { return member.score >= min; });
    const size_t end = order.count_until([&](const ScoredMember& member) { return member.score >= max; });
    bool wanted = true;
    order.for_each(from, end > from ? end - from : 0, [&](const ScoredMember& member) {
      if (wanted) wanted = visit(member.member, member.score);
    });
  });
}

void answer_coordinate(const Call& call, double degrees) {
  call.answer_text(long_double_to_text(static_cast<long double>(degrees)));
}

void answer_distance(const Call& call, double distance) {
  char room[400];
  const int size = std::snprintf(room, sizeof room, "%.4f", distance);
  call.answer_text({room, static_cast<size_t>(size)});
}

void answer_matches(const Call& call, const SearchWish& wish, const std::vector<GeoMatch>& matches) {
  const size_t extras = size_t{wish.with_distance} + size_t{wish.with_hash} + size_t{wish.with_point};
  call.answer_array(matches.size());
  for (const GeoMatch& match : matches) {
    if (extras > 0) call.answer_array(1 + extras);
    call.answer_text(match.member);
    if (wish.with_distance) answer_distance(call, match.distance);
    if (wish.with_hash) call.answer(static_cast<int64_t>(match.score));
    if (!wish.with_point) continue;
    const GeoPoint point = geo_point(match.score);
    call.answer_array(2);
    answer_coordinate(call, point.longitude);
    answer_coordinate(call, point.latitude);
  }
}

Effect search(Call& call, SortedSet* source, SearchWish& wish) {
  if (wish.search.any && wish.search.count_max == 0)
    return call.fail("ERR the ANY argument requires COUNT argument");
  std::vector<GeoMatch> matches;
  if (source != nullptr && !wish.center_missing) matches = find_matches(call, *source, wish);
  if (!wish.destination) {
    answer_matches(call, wish, matches);
    return Effect::unchanged;
  }
  ZsetResult result(call);
  for (const GeoMatch& match : matches)
    result.value.set(match.member, wish.stores_distance ? match.distance : match.score);
  return result.store(*wish.destination);
}

template <bool by_member, bool may_store>
Effect georadius(Call& call) {
  const Found<SortedSet> source = call.find_as<SortedSet>(call.args[1]);
  if (source.wrong_type()) return call.wrong_type();
  SearchReader reader(call, source.value);
  if (const char* error = reader.read_old(by_member, may_store)) return call.fail(error);
  return search(call, source.value, reader.wish);
}

template <bool stores>
Effect geosearch(Call& call) {
  const size_t key = stores ? 2 : 1;
  const Found<SortedSet> source = call.find_as<SortedSet>(call.args[key]);
  if (source.wrong_type()) return call.wrong_type();
  SearchReader reader(call, source.value);
  if (const char* error = reader.read_new(key + 1, stores)) return call.fail(error);
  if (stores) reader.wish.destination = call.args[1];
  return search(call, source.value, reader.wish);
}

// --- Reads

Effect geopos(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  call.answer_array(call.args.size() - 2);
  for (const Bytes member : call.args.subspan(2)) {
    const std::optional<double> score = found ? found->score(member) : std::nullopt;
    if (!score) {
      call.answer_nil();
      continue;
    }
    const GeoPoint point = geo_point(*score);
    call.answer_array(2);
    answer_coordinate(call, point.longitude);
    answer_coordinate(call, point.latitude);
  }
  return Effect::unchanged;
}

Effect geohash(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  call.answer_array(call.args.size() - 2);
  for (const Bytes member : call.args.subspan(2)) {
    if (const std::optional<double> score = found ? found->score(member) : std::nullopt)
      call.answer_text(geohash_text(*score));
    else
      call.answer_nil();
  }
  return Effect::unchanged;
}

Effect geodist(Call& call) {
  std::optional<double> unit = 1;
  if (call.args.size() > 5) return call.fail(kSyntax);
  if (call.args.size() == 5) unit = parse_geo_unit(call.args[4]);
  if (!unit) return call.fail(kNoUnit);
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  const std::optional<double> from = found ? found->score(call.args[2]) : std::nullopt;
  const std::optional<double> to = found ? found->score(call.args[3]) : std::nullopt;
  if (from && to)
    answer_distance(call, geo_distance_m(geo_point(*from), geo_point(*to), rules_of(call.profile)) / *unit);
  else
    call.answer_nil();
  return Effect::unchanged;
}

constexpr std::array kGeoHandlers = {
    CommandHandler{"geoadd", geoadd},
    CommandHandler{"georadius", georadius<false, true>},
    CommandHandler{"georadius_ro", georadius<false, false>},
    CommandHandler{"georadiusbymember", georadius<true, true>},
    CommandHandler{"georadiusbymember_ro", georadius<true, false>},
    CommandHandler{"geosearch", geosearch<false>},
    CommandHandler{"geosearchstore", geosearch<true>},
    CommandHandler{"geopos", geopos},
    CommandHandler{"geohash", geohash},
    CommandHandler{"geodist", geodist},
};

}  // namespace

std::span<const CommandHandler> geo_commands() { return kGeoHandlers; }

}  // namespace persist
