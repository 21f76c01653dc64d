package expression

// The functions on numbers.

func onNumber(change func(Number) Number) func(*State, []Value) Value {
	return func(_ *State, args []Value) Value { return Value{kind: Numeric, number: change(args[0].number)} }
}

func absolute(n Number) Number {
	if n.sign() < 0 {
		return n.Negate()
	}
	return n
}

func floor(n Number) Number {
	whole := n.Truncate()
	if n.Compare(whole) < 0 {
		whole, _ = whole.Add(Whole(-1))
	}
	return whole
}

func ceil(n Number) Number { return floor(n.Negate()).Negate() }

func round(s *State, args []Value) Value {
	places := 0
	if len(args) == 2 {
		places = s.whole(args[1], "the number of digits")
		if places > maxDigits || places < -maxDigits {
			return s.fail("the number of digits must be from -200 to 200")
		}
	}
	return Value{kind: Numeric, number: args[0].number.Round(places)}
}

// extreme is the least (-1) or greatest (+1) of numbers and of the items of lists.
func extreme(name string, sign int) func(*State, []Value) Value {
	return func(s *State, args []Value) Value {
		var best Number
		found := false
		take := func(n Number) {
			if !found || n.Compare(best)*sign > 0 {
				best, found = n, true
			}
		}
		for _, arg := range args {
			if arg.kind == Numeric {
				take(arg.number)
				continue
			}
			for _, item := range arg.more.list {
				if !s.spend(stepCost) {
					break
				}
				take(s.number(item, "an item"))
			}
		}
		if !found {
			return s.fail(name + " has nothing to choose from")
		}
		return Value{kind: Numeric, number: best}
	}
}
