<?php return array( 'dependencies' => array( 'wp-api-fetch', 'wp-block-editor', 'wp-components', 'wp-element', 'wp-hooks', 'wp-i18n' ), 'version' => 'a71d4b3959f6b639c2b3' );
