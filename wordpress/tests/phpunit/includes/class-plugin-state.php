<?php
/**
 * What the plugin holds in memory, to be put back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

/**
 * The static properties of all classes of the plugin, and the properties of
 * every object of these classes that can be reached from there. Not what a
 * function keeps in static variables: nothing can put that back.
 */
final class Plugin_State {

	/**
	 * Values of the static properties, by class and name.
	 *
	 * @var array<string, array<string, mixed>>
	 */
	private array $statics = array();

	/**
	 * Every object, with the values of its properties.
	 *
	 * @var \SplObjectStorage
	 */
	private \SplObjectStorage $objects;

	/**
	 * Takes the state as it is.
	 *
	 * @param string $folder The plugin's.
	 */
	public function __construct( string $folder ) {
		$this->objects = new \SplObjectStorage();
		foreach ( glob( "$folder/includes/class-*.php" ) as $file ) {
			class_exists( 'WordSocket\\' . self::class_of( $file ) );
		}
		foreach ( get_declared_classes() as $class ) {
			if ( self::is_ours( $class ) ) {
				$this->take_statics( new \ReflectionClass( $class ) );
			}
		}
	}

	/** Puts everything back. */
	public function restore(): void {
		foreach ( $this->statics as $class => $values ) {
			foreach ( $values as $name => $value ) {
				self::property( new \ReflectionProperty( $class, $name ) )->setValue( null, $value );
			}
		}
		foreach ( $this->objects as $object ) {
			foreach ( $this->objects[ $object ] as list( $property, $value ) ) {
				$property->setValue( $object, $value );
			}
		}
	}

	private static function class_of( string $file ): string {
		return implode( '_', array_map( 'ucfirst', explode( '-', substr( basename( $file, '.php' ), strlen( 'class-' ) ) ) ) );
	}

	private static function is_ours( string $class ): bool {
		return str_starts_with( $class, 'WordSocket\\' ) && ! str_starts_with( $class, __NAMESPACE__ );
	}

	private function take_statics( \ReflectionClass $class ): void {
		foreach ( $class->getProperties( \ReflectionProperty::IS_STATIC ) as $property ) {
			self::property( $property );
			if ( $property->getDeclaringClass()->getName() === $class->getName() && $property->isInitialized() ) {
				$value = $property->getValue();
				$this->statics[ $class->getName() ][ $property->getName() ] = $value;
				$this->take( $value );
			}
		}
	}

	/**
	 * Takes what a value leads to.
	 *
	 * @param mixed $value Anything.
	 */
	private function take( $value ): void {
		if ( is_array( $value ) ) {
			array_map( array( $this, 'take' ), $value );
			return;
		}
		if ( ! is_object( $value ) || ! self::is_ours( get_class( $value ) ) || $this->objects->contains( $value ) ) {
			return;
		}
		$this->objects[ $value ] = array();
		$values                  = array();
		foreach ( ( new \ReflectionObject( $value ) )->getProperties() as $property ) {
			self::property( $property );
			if ( $property->isStatic() || ! $property->isInitialized( $value ) ) {
				continue;
			}
			$held = $property->getValue( $value );
			$this->take( $held );
			if ( ! $property->isReadOnly() ) {
				$values[] = array( $property, $held );
			}
		}
		$this->objects[ $value ] = $values;
	}

	private static function property( \ReflectionProperty $property ): \ReflectionProperty {
		$property->setAccessible( true );
		return $property;
	}
}
