<?php
/**
 * PHPUnit's results as TAP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use PHPUnit\Framework\AssertionFailedError;
use PHPUnit\Framework\Test;
use PHPUnit\Framework\TestResult;
use PHPUnit\Framework\TestSuite;
use PHPUnit\Framework\Warning;
use PHPUnit\TextUI\ResultPrinter;
use PHPUnit\Util\Test as Names;

/**
 * One line for each test, the plan at the end. A test that asserts nothing,
 * warns, or is incomplete has failed; only a skipped one is skipped.
 */
final class Tap implements ResultPrinter {

	/**
	 * Tests so far.
	 *
	 * @var int
	 */
	private int $count = 0;

	/**
	 * What went wrong in the test that runs.
	 *
	 * @var list<string>
	 */
	private array $failures = array();

	/**
	 * Why the test that runs was skipped; null if it was not.
	 *
	 * @var string|null
	 */
	private ?string $skipped = null;

	/**
	 * Whether a test is between its start and its end.
	 *
	 * @var bool
	 */
	private bool $running = false;

	public function printResult( TestResult $result ): void {
		echo "1..$this->count\n";
	}

	public function addError( Test $test, \Throwable $t, float $time ): void {
		$this->fail( $test, $t );
	}

	public function addWarning( Test $test, Warning $e, float $time ): void {
		$this->fail( $test, $e );
	}

	public function addFailure( Test $test, AssertionFailedError $e, float $time ): void {
		$this->fail( $test, $e );
	}

	public function addIncompleteTest( Test $test, \Throwable $t, float $time ): void {
		$this->fail( $test, $t );
	}

	public function addRiskyTest( Test $test, \Throwable $t, float $time ): void {
		$this->fail( $test, $t );
	}

	public function addSkippedTest( Test $test, \Throwable $t, float $time ): void {
		$this->skipped = strtok( $t->getMessage(), "\n" );
		if ( ! $this->running ) {
			$this->say( $test );
		}
	}

	public function startTestSuite( TestSuite $suite ): void {}

	public function endTestSuite( TestSuite $suite ): void {}

	public function startTest( Test $test ): void {
		$this->failures = array();
		$this->skipped  = null;
		$this->running  = true;
	}

	public function endTest( Test $test, float $time ): void {
		$this->say( $test );
		$this->running = false;
	}

	public function write( string $buffer ): void {
		foreach ( array_slice( preg_split( '/\R/', rtrim( $buffer ) ), 0, 60 ) as $line ) {
			echo '# ' . substr( $line, 0, 300 ) . "\n";
		}
	}

	/** Keeps a failure until the test ends; says it now if none runs. */
	private function fail( Test $test, \Throwable $t ): void {
		$text = $t->getMessage();
		if ( $t instanceof \PHPUnit\Framework\ExpectationFailedException && $t->getComparisonFailure() ) {
			$text .= $t->getComparisonFailure()->getDiff();
		}
		$this->failures[] = get_class( $t ) . ': ' . $text . "\n" . \PHPUnit\Util\Filter::getFilteredStacktrace( $t );
		if ( ! $this->running ) {
			$this->say( $test );
		}
	}

	private function say( Test $test ): void {
		++$this->count;
		$name = implode( ': ', array_filter( Names::describe( $test ) ) );
		$name = strtr( str_replace( 'WordSocket\Tests\\', '', $name ), '#', ' ' );
		echo ( $this->failures ? 'not ok' : 'ok' ) . " $this->count - $name";
		echo ( null !== $this->skipped && ! $this->failures ? " # SKIP $this->skipped" : '' ) . "\n";
		foreach ( $this->failures as $failure ) {
			$this->write( $failure );
		}
		$this->failures = array();
		$this->skipped  = null;
	}
}
