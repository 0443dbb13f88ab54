// Work that is cut into numbered portions: several threads make them, and what they made is handed on in
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace persist {

class PortionWorker {
 public:
  virtual ~PortionWorker() = default;
  virtual void work(size_t portion) = 0;
  // Hands on what work() made: one thread at a time, portion after portion.
  virtual void emit() = 0;
};

// Throws what a worker has thrown; then later portions are not handed on.
void run_in_order(size_t portions, unsigned threads,
                  const std::function<std::unique_ptr<PortionWorker>()>& make_worker);

}  // namespace persist
